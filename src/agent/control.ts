import { chmodSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import * as z from 'zod';
import { LineSplitter } from '../system/lines.ts';

/** Longest request and reply in bytes. */
const REQUEST_LIMIT = 65_536;
/** How long a client may take to say what it wants. */
const PATIENCE_MS = 2000;

const request = z.discriminatedUnion('command', [
  z.object({ command: z.literal('status') }),
  z.object({
    command: z.enum(['takeover', 'release']),
    target: z.string().min(1).max(255),
    force: z.boolean(),
  }),
]);

/** What a command asks the running agent. */
export type ControlRequest = z.infer<typeof request>;

const reply = z.union([z.object({ ok: z.unknown() }), z.object({ error: z.string() })]);

/** No agent answers. Exit status 3. */
export class NoAgentError extends Error {
  override readonly name = 'NoAgentError';
}

/** The agent's answer was an error, or none. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
}

/** Serves `handle` on a socket that only root can open. An earlier agent's socket file is replaced. */
export const serveControl = async (
  path: string,
  handle: (request: ControlRequest) => Promise<unknown>,
): Promise<Server> => {
  removeStale(path);
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    const answer = (value: unknown): void => {
      socket.end(`${JSON.stringify(value)}\n`);
    };
    let answered = false;
    const splitter = new LineSplitter(
      REQUEST_LIMIT,
      (line) => {
        if (answered) {
          return;
        }
        answered = true;
        socket.setTimeout(0);
        const parsed = parseRequest(line);
        if ('error' in parsed) {
          answer(parsed);
          return;
        }
        handle(parsed.request).then(
          (ok) => answer({ ok }),
          (error: unknown) => answer({ error: error instanceof Error ? error.message : String(error) }),
        );
      },
      (bytes) => answer({ error: `a request of ${bytes} bytes is too long; the limit is ${REQUEST_LIMIT}` }),
    );
    socket.on('data', (chunk) => splitter.push(chunk));
  });
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return server;
};

/** Sends one request to the agent and waits for its reply. */
export const askAgent = async (path: string, body: ControlRequest, bound: number): Promise<unknown> => {
  const text = await exchange(path, `${JSON.stringify(body)}\n`, bound);
  const parsed = reply.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new ControlError(`${path}: the agent's reply can't be read; is it of another version?`);
  }
  if ('error' in parsed.data) {
    throw new ControlError(parsed.data.error);
  }
  return parsed.data.ok;
};

const exchange = (path: string, line: string, bound: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(line));
    let text = '';
    socket.setTimeout(bound, () => {
      socket.destroy(new ControlError(`${path}: the agent didn't answer in ${bound} ms`));
    });
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
    });
    socket.on('error', (cause: NodeJS.ErrnoException) => {
      const absent = cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED';
      reject(
        absent
          ? new NoAgentError(`no agent runs here (${path}); start it: conntrack-ha run`, { cause })
          : cause,
      );
    });
    socket.on('close', () => resolve(text));
  });

const parseRequest = (line: string): { readonly request: ControlRequest } | { readonly error: string } => {
  const parsed = request.safeParse(parseJson(line));
  if (parsed.success) {
    return { request: parsed.data };
  }
  const [issue] = parsed.error.issues;
  return {
    error: `malformed request: ${issue?.path.join('.') || 'request'}: ${issue?.message ?? 'unreadable'}`,
  };
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const removeStale = (path: string): void => {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
      throw error;
    }
  }
};
