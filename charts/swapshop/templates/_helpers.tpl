{{/* Prefix of every object's name; 39 characters leave room for the longest suffix. */}}
{{- define "swapshop.fullname" -}}
{{- if contains "swapshop" .Release.Name }}{{ .Release.Name | trunc 39 | trimSuffix "-" }}
{{- else }}{{ printf "%s-swapshop" (.Release.Name | trunc 30 | trimSuffix "-") }}
{{- end }}
{{- end }}

{{/* Labels that select a component's pods: (list $ "api"). They never change. */}}
{{- define "swapshop.selector" -}}
app.kubernetes.io/name: swapshop
app.kubernetes.io/instance: {{ (index . 0).Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Labels of an object, not of a pod: they change with the chart's version. (list $ "api") */}}
{{- define "swapshop.labels" -}}
{{ include "swapshop.selector" . }}
app.kubernetes.io/part-of: swapshop
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
helm.sh/chart: {{ (index . 0).Chart.Name }}-{{ (index . 0).Chart.Version }}
{{- end }}

{{/* An object's name and labels: (list $ "api" "name-suffix"). */}}
{{- define "swapshop.metadata" -}}
name: {{ include "swapshop.fullname" (index . 0) }}-{{ index . 2 }}
namespace: {{ (index . 0).Release.Namespace | quote }}
labels: {{- include "swapshop.labels" . | nindent 2 }}
{{- end }}

{{/* Image of a service: (list $ "api"). */}}
{{- define "swapshop.image" -}}
{{- $values := (index . 0).Values.image -}}
{{- $usual := printf "%s/%s:%s" $values.repository (index . 1) ($values.tag | default (index . 0).Chart.AppVersion) -}}
image: {{ index $values.overrides (index . 1) | default $usual | quote }}
imagePullPolicy: {{ $values.pullPolicy }}
{{- end }}

{{/* Settings of every pod: (list $ "component" user id). */}}
{{- define "swapshop.pod" -}}
{{- $root := index . 0 -}}
serviceAccountName: {{ include "swapshop.fullname" $root }}-{{ index . 1 }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ index . 2 }}
  runAsGroup: {{ index . 2 }}
  fsGroup: {{ index . 2 }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Settings of every container. */}}
{{- define "swapshop.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/*
Settings of a sidecar container, which only shares the network with the main container. It has no readiness probe, so
that the pod stays in service while the sidecar is down.
*/}}
{{- define "swapshop.sidecar" -}}
securityContext:
  runAsUser: 65534
  runAsGroup: 65534
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
ports:
  - {name: operations, containerPort: 9000}
livenessProbe:
  httpGet: {path: /, port: operations}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end }}

{{/* Pods of one component go to different nodes where they can: (list $ "api"). */}}
{{- define "swapshop.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels: {{- include "swapshop.selector" . | nindent 8 }}
{{- end }}

{{/* Probes of the operations port. */}}
{{- define "swapshop.probes" -}}
startupProbe:
  httpGet: {path: /livez, port: operations}
  periodSeconds: 1
  failureThreshold: 60
readinessProbe:
  httpGet: {path: /readyz, port: operations}
  periodSeconds: 2
  timeoutSeconds: 5
  # Do not kill a pod that is only slow under load: the others would become slower still.
  failureThreshold: 6
livenessProbe:
  httpGet: {path: /livez, port: operations}
  periodSeconds: 10
  timeoutSeconds: 5
{{- end }}

{{/* Name of the Secret of a purpose: (list $ "databaseApi"). */}}
{{- define "swapshop.secretName" -}}
{{- $own := printf "%s-%s" (include "swapshop.fullname" (index . 0)) (index . 1 | kebabcase) -}}
{{- (index (index . 0).Values.secrets (index . 1)).existingSecret | default $own }}
{{- end }}

{{/* An environment variable from a Secret: (list $ "NAME" "purpose" "key"); a fifth item makes it optional. */}}
{{- define "swapshop.secretEnv" -}}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef:
      name: {{ include "swapshop.secretName" (list (index . 0) (index . 2)) | quote }}
      key: {{ index . 3 }}
      {{- if gt (len .) 4 }}
      optional: true
      {{- end }}
{{- end }}

{{- define "swapshop.mysqlHost" -}}
{{ .Values.mysql.external.host | default (printf "%s-mysql" (include "swapshop.fullname" .)) }}
{{- end }}

{{- define "swapshop.mysqlPort" -}}
{{ empty .Values.mysql.external.host | ternary 3306 .Values.mysql.external.port }}
{{- end }}

{{- define "swapshop.redisHost" -}}
{{ .Values.redis.external.host | default (printf "%s-redis" (include "swapshop.fullname" .)) }}
{{- end }}

{{- define "swapshop.redisPort" -}}
{{ empty .Values.redis.external.host | ternary 6379 .Values.redis.external.port }}
{{- end }}

{{/* DATABASE_URL of a user: (list $ "databaseApi" "swapshop_api" "swapshop"). */}}
{{- define "swapshop.databaseEnv" -}}
{{ include "swapshop.secretEnv" (list (index . 0) "DATABASE_PASSWORD" (index . 1) "password") }}
- name: DATABASE_URL
  value: mysql+asyncmy://{{ index . 2 }}:$(DATABASE_PASSWORD)@{{ include "swapshop.mysqlHost" (index . 0) }}:{{ include "swapshop.mysqlPort" (index . 0) }}/{{ index . 3 }}
{{- with (index . 0).Values.mysql.external }}
{{- if and .host .tls }}
- {name: DATABASE_TLS, value: "true"}
{{- if .caConfigMap }}
- {name: DATABASE_CA_FILE, value: /etc/swapshop/mysql-ca/ca.crt}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Volume of the authorities that verify an external MySQL; empty if none are configured. */}}
{{- define "swapshop.mysqlCaVolume" -}}
{{- with .Values.mysql.external }}
{{- if and .host .tls .caConfigMap -}}
- name: mysql-ca
  configMap: {name: {{ .caConfigMap | quote }}}
{{- end }}
{{- end }}
{{- end }}

{{/* The mount of that volume; empty in the same cases. */}}
{{- define "swapshop.mysqlCaMount" -}}
{{- if include "swapshop.mysqlCaVolume" . -}}
- {name: mysql-ca, mountPath: /etc/swapshop/mysql-ca, readOnly: true}
{{- end }}
{{- end }}

{{/* Environment of scripts that run MySQL's client programs: address of the server, and how to verify it. */}}
{{- define "swapshop.mysqlClientEnv" -}}
- {name: MYSQL_HOST, value: {{ include "swapshop.mysqlHost" . | quote }}}
- {name: MYSQL_PORT, value: {{ include "swapshop.mysqlPort" . | quote }}}
{{- with .Values.mysql.external }}
{{- if and .host .tls }}
{{- if not .caConfigMap }}
{{- fail "mysql.external.caConfigMap: mysqldump and mysql need it, to verify a server through TLS" }}
{{- end }}
- {name: MYSQL_CA_FILE, value: /etc/swapshop/mysql-ca/ca.crt}
{{- end }}
{{- end }}
{{- end }}

{{/* REDIS_URL of a user of files/redis-users.acl: (list $ "api"). On a Redis without these users it signs in as the default user. */}}
{{- define "swapshop.redisEnv" -}}
{{- $root := index . 0 -}}
{{- $external := $root.Values.redis.external -}}
{{- $hasUsers := or (not $external.host) $external.users -}}
{{ include "swapshop.secretEnv" (list $root "REDIS_PASSWORD" (ternary "redisUsers" "redis" $hasUsers) (ternary (index . 1) "password" $hasUsers)) }}
- name: REDIS_URL
  value: {{ ternary "rediss" "redis" $external.tls }}://{{ ternary (index . 1) "" $hasUsers }}:$(REDIS_PASSWORD)@{{ include "swapshop.redisHost" $root }}:{{ include "swapshop.redisPort" $root }}/0
{{- end }}

{{/* Settings of every service. */}}
{{- define "swapshop.commonSettings" -}}
LOG_LEVEL: {{ .Values.logLevel }}
{{- with .Values.telemetry.otlpEndpoint }}
OTLP_ENDPOINT: {{ . | quote }}
TRACE_RATIO: {{ $.Values.telemetry.traceRatio | quote }}
{{- end }}
{{- end }}

{{/*
Lines of a ConfigMap: a service's settings from the values. Helm reads a file's numbers as floats, and writes a million
as 1e+06, which is no whole number to a service.
*/}}
{{- define "swapshop.settings" -}}
{{- range $name, $value := . }}
{{ $name }}: {{ and (kindIs "float64" $value) (eq (floor $value) $value) | ternary (int64 $value) $value | quote }}
{{- end }}
{{- end }}

{{/* Origins of the page, separated by commas; fails if a password would cross a network unencrypted. */}}
{{- define "swapshop.publicOrigins" -}}
{{- $origins := .Values.publicOrigins }}
{{- if not $origins }}
{{- if .Values.ingress.enabled }}
{{- $origins = append $origins (printf "%s://%s" (empty .Values.ingress.tlsSecret | ternary "http" "https") .Values.ingress.host) }}
{{- end }}
{{- if .Values.gateway.enabled }}
{{- $origins = append $origins (printf "%s://%s" (ternary "https" "http" .Values.gateway.tls) .Values.gateway.host) }}
{{- end }}
{{- end }}
{{- if not $origins }}
{{- fail "publicOrigins: say where the page is served from, as neither ingress nor gateway is enabled" }}
{{- end }}
{{- range $origins }}
{{- if and (hasPrefix "http://" .) (not $.Values.ingress.insecure) (not (regexMatch "^http://(([a-z0-9-]+\\.)*localhost|127\\.0\\.0\\.1)(:[0-9]+)?$" .)) }}
{{- fail (printf "%s: passwords would cross the network unencrypted. Set ingress.tlsSecret (or gateway.tls), or ingress.insecure=true to allow it" .) }}
{{- end }}
{{- end }}
{{- $origins | uniq | join "," }}
{{- end }}

{{/* Containers that bring both schemas to the images' revision, in turn: (list $ "api"). */}}
{{- define "swapshop.migrateContainer" -}}
{{- $root := index . 0 -}}
{{- $service := index . 1 -}}
{{- $schema := eq $service "api" | ternary "swapshop" "notifications" -}}
- name: migrate-{{ $service }}
  {{- include "swapshop.image" . | nindent 2 }}
  args: [migrate]
  env: {{- include "swapshop.databaseEnv" (list $root (printf "database%sDdl" (title $service)) (printf "swapshop_%s_ddl" $service) $schema) | nindent 4 }}
    {{- /* In the transaction that ends the migration: nobody can register its e-mail before. */ -}}
    {{- if and (has "operator" .) $root.Values.operator.email }}
    - {name: OPERATOR_EMAIL, value: {{ $root.Values.operator.email | quote }}}
    - {name: OPERATOR_PROMOTE_EXISTING, value: {{ $root.Values.operator.promoteExisting | quote }}}
    {{- include "swapshop.secretEnv" (list $root "OPERATOR_PASSWORD" "operator" "password") | nindent 4 }}
    {{- end }}
  resources:
    requests: {cpu: 50m, memory: 96Mi}
    limits: {memory: 256Mi}
  {{- include "swapshop.container" $root | nindent 2 }}
  {{- with include "swapshop.mysqlCaMount" $root }}
  volumeMounts: {{- . | nindent 4 }}
  {{- end }}
{{- end }}
