import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';
import 'swagger-ui-dist/swagger-ui.css';
import './reference.css';

/** The document to show: `?of=notifications` chooses the receiver's part of the API. */
const of = new URLSearchParams(window.location.search).get('of');

SwaggerUI({
  url: of === 'notifications' ? '/api/notifications/openapi.json' : '/api/openapi.json',
  domNode: document.getElementById('reference'),
  deepLinking: true,
  validatorUrl: null, // nothing is sent to a third party
});
