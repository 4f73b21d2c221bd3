/** Server-sent events (WHATWG HTML §9.2.6), read from a fetch: EventSource cannot send a token. */

export interface StreamEvent {
  readonly event: string;
  readonly data: string;
  /** The last id of the stream so far. */
  readonly id: string | null;
}

/** Parses text that comes in pieces of any size. */
export class EventStreamParser {
  #rest = '';
  #data: string[] = [];
  #event = '';
  #id: string | null = null;
  #isFirst = true;

  /** Returns the events that this piece completes. */
  push(piece: string): StreamEvent[] {
    let text = this.#rest + piece;
    if (this.#isFirst && text !== '') {
      text = text.replace(/^\uFEFF/, '');
      this.#isFirst = false;
    }
    const events: StreamEvent[] = [];
    let begin = 0;
    for (;;) {
      const end = this.#lineEnd(text, begin);
      if (end === null) break;
      const event = this.#takeLine(text.slice(begin, end.at));
      if (event !== null) events.push(event);
      begin = end.next;
    }
    this.#rest = text.slice(begin);
    return events;
  }

  /** A line ends with CRLF, LF or CR; a CR at the end of a piece may be half of a CRLF. */
  #lineEnd(text: string, begin: number): { at: number; next: number } | null {
    for (let at = begin; at < text.length; at += 1) {
      const character = text[at];
      if (character === '\n') return { at, next: at + 1 };
      if (character === '\r') {
        if (at + 1 === text.length) return null;
        return { at, next: text[at + 1] === '\n' ? at + 2 : at + 1 };
      }
    }
    return null;
  }

  #takeLine(line: string): StreamEvent | null {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return null; // a comment
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#event = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    return null;
  }

  #dispatch(): StreamEvent | null {
    const event = this.#event === '' ? 'message' : this.#event;
    const data = this.#data;
    this.#event = '';
    this.#data = [];
    return data.length === 0 ? null : { event, data: data.join('\n'), id: this.#id };
  }
}

/** Yields the events of a body, and null for each piece without one (a sign of life). */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<StreamEvent | null, void> {
  const parser = new EventStreamParser();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const events = parser.push(decoder.decode(value, { stream: true }));
      if (events.length === 0) yield null;
      else yield* events;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // the connection may already be broken
  }
}
