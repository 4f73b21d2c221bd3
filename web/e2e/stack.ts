import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const START = 60_000;
const LOG_END = 4000;

/** The Python with the services: the one that ./task made, unless PYTHON names another. */
export const PYTHON = process.env.PYTHON ?? `${ROOT}.venv/bin/python`;

/** Returns a port that stays free while the stack is down: outgoing connections use 32768 and up. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** The stack of `./task up` with its own port and data; it can be stopped and started again. */
export class Stack {
  #process: ChildProcess | null = null;
  #log = '';

  private constructor(
    readonly dataDir: string,
    readonly port: number,
    readonly url = `http://127.0.0.1:${port}`,
  ) {}

  /** Returns a stack that is already running, such as one in a cluster; it is never started. */
  static running(url: string): Stack {
    return new Stack('', 0, url);
  }

  static async create(dataDir: string): Promise<Stack> {
    const stack = new Stack(dataDir, await freePort());
    await stack.start();
    return stack;
  }

  async start(): Promise<void> {
    const started = spawn(PYTHON, ['-m', 'swapshop_local', 'up'], {
      cwd: ROOT,
      env: { ...process.env, DATA_DIR: this.dataDir, PORT: String(this.port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = started;
    const keep = (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-LOG_END);
    };
    started.stdout.on('data', keep);
    started.stderr.on('data', keep);
    const deadline = Date.now() + START;
    while (!(await this.#answers())) {
      if (started.exitCode !== null || Date.now() > deadline) {
        throw new Error(`the stack did not start:\n${this.#log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Stops the stack in order, or as a crash would (SIGKILL). */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const running = this.#process;
    if (running === null) return;
    this.#process = null;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill(signal);
    await ended;
  }

  async #answers(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/readyz`)).ok;
    } catch {
      return false; // not yet
    }
  }
}
