import { seal, TAG_BYTES, unseal } from './seal.ts';

/** What a node puts into a frame by which its peers know that they hear it on a leg. */
export interface LegPayload {
  /** The node's id. */
  readonly id: number;
  /** Drawn anew by each agent at its start, as 16 hexadecimal digits; it tells it to the peers over the sync link. */
  readonly session: string;
  /** Grows with each frame of the session. */
  readonly counter: number;
}

/** Whose, and on which leg, a frame is. Who has the key agrees on it; it isn't sent. */
export interface LegContext {
  readonly cluster: string;
  /** The shared MAC. */
  readonly mac: string;
}

const MAGIC = 0x43544841; // CTHA
const VERSION = 1;
const SESSION_BYTES = 8;
const SESSION_AT = 8;
const COUNTER_AT = SESSION_AT + SESSION_BYTES;
const PAYLOAD_BYTES = COUNTER_AT + 4;
/** The least that an Ethernet frame carries: interfaces fill up what is shorter. */
const LEAST_BYTES = 46;

/** With it and its zeros a frame is as long as the shortest that there is. */
export const encodeLegPayload = (key: Buffer, context: LegContext, payload: LegPayload): Uint8Array => {
  const bytes = Buffer.alloc(PAYLOAD_BYTES);
  bytes.writeUInt32BE(MAGIC, 0);
  bytes.writeUInt8(VERSION, 4);
  bytes.writeUInt16BE(payload.id, 6);
  bytes.write(payload.session, SESSION_AT, 'hex');
  bytes.writeUInt32BE(payload.counter, COUNTER_AT);
  const whole = new Uint8Array(LEAST_BYTES);
  whole.set(seal(key, contextText(context), bytes));
  return whole;
};

/** What a frame says of itself, proven or not; undefined: it is none of ours, or of another version. */
export const readLegPayload = (bytes: Uint8Array): LegPayload | undefined => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < PAYLOAD_BYTES + TAG_BYTES || buffer.readUInt32BE(0) !== MAGIC) {
    return undefined;
  }
  return buffer.readUInt8(4) === VERSION
    ? {
        id: buffer.readUInt16BE(6),
        session: buffer.toString('hex', SESSION_AT, SESSION_AT + SESSION_BYTES),
        counter: buffer.readUInt32BE(COUNTER_AT),
      }
    : undefined;
};

/** Whether somebody with the key has made it, for this leg. */
export const isProven = (key: Buffer, context: LegContext, bytes: Uint8Array): boolean =>
  unseal(key, contextText(context), Buffer.from(bytes.subarray(0, PAYLOAD_BYTES + TAG_BYTES))) !== undefined;

const contextText = ({ cluster, mac }: LegContext): string => `leg ${mac} ${cluster}`;
