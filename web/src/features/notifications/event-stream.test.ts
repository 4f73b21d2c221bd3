import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { EventStreamParser, readEvents, type StreamEvent } from './event-stream';

function parse(...pieces: string[]): StreamEvent[] {
  const parser = new EventStreamParser();
  return pieces.flatMap((piece) => parser.push(piece));
}

describe('EventStreamParser', () => {
  it('reads name, data and id', () => {
    expect(parse('event: notification\ndata: {"a":1}\nid: c1\n\n')).toEqual([
      { event: 'notification', data: '{"a":1}', id: 'c1' },
    ]);
  });

  it('leaves out comments, events without data, and what is not complete', () => {
    expect(parse(': keep-alive\n\nevent: nothing\n\ndata: half\n')).toEqual([]);
  });

  it('joins lines of data, and remembers the last id', () => {
    expect(parse('id: 7\ndata: a\ndata:b\ndata\n\ndata: c\n\n')).toEqual([
      { event: 'message', data: 'a\nb\n', id: '7' },
      { event: 'message', data: 'c', id: '7' },
    ]);
  });

  it('ignores an id with a NUL, unknown fields and a byte order mark', () => {
    expect(parse('\uFEFFdata: a\nid: x\0y\nother: 1\nretry: 5\n\n')).toEqual([
      { event: 'message', data: 'a', id: null },
    ]);
  });

  it('gives the same events wherever the text is cut and however its lines end', () => {
    const text =
      'id: 1\nevent: notification\ndata: {"cliente":"Íñigo"}\n\n: c\n\ndata: x\ndata: y\n\n';
    const expected = parse(text);
    fc.assert(
      fc.property(
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.array(fc.nat({ max: 100 }), { maxLength: 8 }),
        (newline, cuts) => {
          const whole = `${text.replaceAll('\n', newline)}:\n`; // completes a CR that could be half of a CRLF
          const places = [0, ...cuts.map((cut) => cut % whole.length).sort((a, b) => a - b)];
          const pieces = places.map((place, i) =>
            whole.slice(place, places[i + 1] ?? whole.length),
          );
          expect(parse(...pieces)).toEqual(expected);
        },
      ),
    );
  });
});

it('readEvents reassembles characters that were cut between bytes', async () => {
  const bytes = new TextEncoder().encode(': c\n\ndata: ñ€😀\n\n');
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const events: StreamEvent[] = [];
  for await (const event of readEvents(body)) if (event !== null) events.push(event);
  expect(events).toEqual([{ event: 'message', data: 'ñ€😀', id: null }]);
});
