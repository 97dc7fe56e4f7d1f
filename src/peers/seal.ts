import { createHmac, timingSafeEqual } from 'node:crypto';

/** Bytes of the authentication tag: HMAC-SHA256 cut to 128 bits (RFC 2104, section 5). */
export const TAG_BYTES = 16;

/** `payload` followed by its tag. `context` is what the receiver must agree on besides the key; it isn't sent. */
export const seal = (key: Buffer, context: string, payload: Buffer): Buffer =>
  Buffer.concat([payload, tagOf(key, context, payload)]);

/** The payload of a sealed message, or undefined if the tag doesn't fit: forged, cut, or of another cluster. */
export const unseal = (key: Buffer, context: string, sealed: Buffer): Buffer | undefined => {
  if (sealed.length < TAG_BYTES) {
    return undefined;
  }
  const payload = sealed.subarray(0, -TAG_BYTES);
  return timingSafeEqual(sealed.subarray(-TAG_BYTES), tagOf(key, context, payload)) ? payload : undefined;
};

const tagOf = (key: Buffer, context: string, payload: Buffer): Buffer =>
  createHmac('sha256', key).update(context).update('\0').update(payload).digest().subarray(0, TAG_BYTES);

/** What stands where a message of ours has its payload. Nothing is known of whose it is. */
export const unsealed = (sealed: Buffer): Buffer => sealed.subarray(0, -TAG_BYTES);
