import type { JsonObject } from '#base/json.ts';
import { badRequest } from './status-error.ts';

/** True when the bytes start with the mark that Kubernetes puts before its protobuf bodies. */
export function isProtobuf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x6b && bytes[1] === 0x38 && bytes[2] === 0x73 && bytes[3] === 0;
}

export function decodeProtobuf(bytes: Uint8Array): JsonObject {
  throw badRequest(`protobuf bodies (${bytes.length} bytes) are not read yet`);
}
