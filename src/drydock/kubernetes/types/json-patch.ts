import { isObject, type JsonObject } from '#base/json.ts';
import { applyJsonPatch, JsonPatchFailure } from '#base/json-patch.ts';
import { ApiError } from '../api/port.ts';
import { goJsonKind } from './go-format.ts';

const maxOperations = 10_000;

/** RFC 6902. Throws ApiError 400 for a malformed patch and 422 when an operation or a test fails. */
export function jsonPatch(target: JsonObject, patch: unknown): JsonObject {
  if (!Array.isArray(patch)) {
    const why = `json: cannot unmarshal ${goJsonKind(patch)} into Go value of type []handlers.jsonPatchOp`;
    throw new ApiError(400, 'BadRequest', `error decoding patch: ${why}`);
  }
  if (patch.length > maxOperations) {
    throw new ApiError(
      413,
      'RequestEntityTooLarge',
      `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`,
    );
  }
  let root: unknown;
  try {
    root = applyJsonPatch(target, patch);
  } catch (error) {
    if (!(error instanceof JsonPatchFailure)) throw error;
    // The real server hides why an operation failed; the reason stays in `cause` for the log.
    const refusal = new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
    refusal.cause = error;
    throw refusal;
  }
  if (!isObject(root)) throw new ApiError(400, 'BadRequest', 'a JSON patch must leave an object');
  return root;
}
