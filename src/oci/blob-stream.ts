import { createHash } from 'node:crypto';
import { AppError, isAppError, messageOf, throwIfAborted } from '#base/errors.ts';
import type { Descriptor } from './port.ts';

export interface BlobSource {
  /** Starts reading at a byte; `resumed` is false when the source can only start at 0 again. */
  open(firstByte: number): Promise<{ body: AsyncIterable<Uint8Array>; resumed: boolean }>;
  /** Waits before try n (from 1), or throws when there shall be no other. */
  beforeRetry(tryNumber: number, cause: AppError): Promise<void>;
}

/**
 * The bytes of a blob, its length and digest checked before the end is reported. A connection that breaks is taken up
 * again where it broke. Throws `corrupt-data` when what came is not what the digest says.
 */
export async function* readBlob(source: BlobSource, blob: Descriptor, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let size = 0;
  for (let tries = 1; size < blob.size || tries === 1; tries += 1) {
    let skip = 0;
    try {
      const { body, resumed } = await source.open(size);
      skip = resumed ? 0 : size;
      for await (const chunk of body) {
        const rest = skip >= chunk.length ? undefined : chunk.subarray(skip);
        skip = Math.max(0, skip - chunk.length);
        if (!rest) continue;
        size += rest.length;
        if (size > blob.size)
          throw new AppError('corrupt-data', `blob ${blob.digest} is longer than ${blob.size} bytes`);
        hash.update(rest);
        yield rest;
      }
      if (size === blob.size) break;
      throw new AppError('unavailable', `blob ${blob.digest} ended after ${size} of ${blob.size} bytes`);
    } catch (error) {
      throwIfAborted(signal);
      const failure = isAppError(error)
        ? error
        : new AppError('unavailable', `reading blob ${blob.digest} broke off: ${messageOf(error)}`, { cause: error });
      if (failure.code !== 'unavailable' && failure.code !== 'timeout') throw failure;
      await source.beforeRetry(tries, failure);
    }
  }
  const digest = `sha256:${hash.digest('hex')}`;
  if (digest !== blob.digest)
    throw new AppError('corrupt-data', `blob ${blob.digest} came with other content (${digest})`, {
      hint: 'the registry or a mirror holds damaged data; push the image again',
    });
}
