import type { Socket } from 'node:net';
import { breather } from '../system/breath.ts';
import { seal, TAG_BYTES, unseal } from './seal.ts';

/** Largest payload of a frame in bytes: 4096 hashes and some room. */
const MAX_PAYLOAD = 40_000;

/** The verification connection broke, or what came over it was not from a peer. */
export class FrameError extends Error {
  override readonly name: string = 'FrameError';
}

/** What came over it was no frame of ours, or not from a peer: somebody else, another key, or another version. */
export class ForgeryError extends FrameError {
  override readonly name = 'ForgeryError';
}

export interface Frame {
  readonly kind: 'hello' | 'request' | 'hashes' | 'end' | 'missing' | 'done';
  readonly payload: Buffer;
}

const KINDS: readonly Frame['kind'][] = ['hello', 'request', 'hashes', 'end', 'missing', 'done'];

/**
 * Sealed frames over one TCP connection: a 32-bit length (big-endian, of what follows), one byte of kind, the payload,
 * the tag. The tag covers the direction, the frame's number and both sides' nonces, so that no frame can be replayed,
 * reordered or reflected.
 */
export class FrameStream {
  readonly #socket: Socket;
  readonly #key: Buffer;
  readonly #side: 'client' | 'server';
  readonly #place: string;
  readonly #iterator: AsyncIterator<unknown>;
  /** Hundreds of frames may wait in the socket's buffers, or fit into them. */
  readonly #breathe = breather();
  #received = Buffer.alloc(0);
  #sent = 0;
  #read = 0;
  /** Both nonces once they are known. */
  nonces = '';

  /**
   * @param bound milliseconds of silence after which the connection is given up
   * @param place what errors begin with: who is at the other end
   */
  constructor(socket: Socket, key: Buffer, side: 'client' | 'server', bound: number, place: string) {
    this.#socket = socket;
    this.#key = key;
    this.#side = side;
    this.#place = place;
    this.#iterator = socket[Symbol.asyncIterator]();
    socket.setTimeout(bound, () => socket.destroy(new Error(`nothing came for ${bound} ms`)));
    socket.setNoDelay(true);
  }

  /** Waits while the peer reads more slowly than this side writes. */
  async write(kind: Frame['kind'], payload: Buffer): Promise<void> {
    await this.#breathe();
    if (this.#socket.destroyed) {
      throw this.#closed(); // its 'close' is over, and no 'drain' comes
    }
    const body = Buffer.concat([Buffer.from([KINDS.indexOf(kind)]), payload]);
    const sealed = seal(this.#key, this.#context(this.#side, this.#sent++), body);
    const header = Buffer.alloc(4);
    header.writeUInt32BE(sealed.length);
    if (!this.#socket.write(Buffer.concat([header, sealed]))) {
      await new Promise<void>((resolve, reject) => {
        const settle = (): void => {
          this.#socket.off('drain', settle);
          this.#socket.off('close', settle);
          this.#socket.destroyed ? reject(this.#closed()) : resolve();
        };
        this.#socket.once('drain', settle);
        this.#socket.once('close', settle);
      });
    }
  }

  /** The next frame. Throws a FrameError at the end of the connection, or for anything that isn't an authentic frame. */
  async read(...expected: readonly Frame['kind'][]): Promise<Frame> {
    await this.#breathe();
    const length = (await this.#take(4)).readUInt32BE();
    if (length < 1 + TAG_BYTES || length > 1 + MAX_PAYLOAD + TAG_BYTES) {
      throw new ForgeryError(`${this.#place}: a frame of ${length} bytes is none of ours`);
    }
    const sealed = await this.#take(length);
    const other = this.#side === 'client' ? 'server' : 'client';
    const body = unseal(this.#key, this.#context(other, this.#read++), sealed);
    const kind = body && KINDS[body[0] ?? KINDS.length];
    if (body === undefined || kind === undefined || !expected.includes(kind)) {
      const problem = body
        ? `expected ${expected.join(' or ')}, got ${kind ?? 'an unknown frame'}`
        : "it isn't from a peer, or the nodes' key files differ";
      throw new ForgeryError(`${this.#place}: ${problem}`);
    }
    return { kind, payload: body.subarray(1) };
  }

  close(): void {
    this.#socket.destroy();
  }

  #context(side: string, number: number): string {
    return `frame ${side} ${number} ${this.nonces}`;
  }

  async #take(bytes: number): Promise<Buffer> {
    while (this.#received.length < bytes) {
      const next = await this.#next();
      if (next.done || !Buffer.isBuffer(next.value)) {
        throw this.#closed();
      }
      this.#received = Buffer.concat([this.#received, next.value]);
    }
    const taken = this.#received.subarray(0, bytes);
    this.#received = this.#received.subarray(bytes);
    return taken;
  }

  async #next(): Promise<IteratorResult<unknown>> {
    try {
      return await this.#iterator.next();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new FrameError(`${this.#place}: ${reason}`, { cause });
    }
  }

  #closed(): FrameError {
    return new FrameError(`${this.#place}: the peer closed the connection`);
  }
}
