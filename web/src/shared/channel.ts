/** A channel between the tabs of one browser; its name contains the user's id. */
export interface Channel<Message> {
  post(message: Message): void;
  close(): void;
}

export type OpenChannel = <Message>(
  name: string,
  onMessage: (message: Message) => void,
) => Channel<Message>;

/** Opens a BroadcastChannel: only pages of this origin post to it, so its messages are ours. */
export const openBroadcastChannel: OpenChannel = <Message>(
  name: string,
  onMessage: (message: Message) => void,
) => {
  const channel = new BroadcastChannel(name);
  channel.onmessage = (event: MessageEvent<Message>) => onMessage(event.data);
  return {
    post: (message: Message) => channel.postMessage(message),
    close: () => channel.close(),
  };
};

/** The part of the Web Locks API that the page uses. */
export interface Locks {
  request<Result>(
    name: string,
    options: { signal?: AbortSignal },
    run: () => Promise<Result>,
  ): Promise<Result>;
}
