import type { KubeClient, ObjectRef } from '#kube/port.ts';

/** One write that is about to be sent. */
export interface Write extends ObjectRef {
  verb: 'create' | 'replace' | 'apply' | 'patch' | 'delete';
  kind: string;
}

/** A client that tells of every write before it is sent, dry runs left out; what `note` throws, the write throws. */
export function countingClient(client: KubeClient, note: (write: Write) => void): KubeClient {
  const told = (verb: Write['verb'], kind: string, { name, namespace }: ObjectRef) =>
    note({ verb, kind, name, namespace });
  return {
    server: client.server,
    discovery: client.discovery,
    version: (signal) => client.version(signal),
    get: (resource, ref, signal) => client.get(resource, ref, signal),
    list: (resource, options, signal) => client.list(resource, options, signal),
    watch: (resource, options, signal) => client.watch(resource, options, signal),
    logs: (ref, options, signal) => client.logs(ref, options, signal),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
    as: (user) => countingClient(client.as(user), note),
    create: async (object, options, signal) => {
      if (!options.dryRun) told('create', object.kind, object.metadata);
      return await client.create(object, options, signal);
    },
    replace: async (object, options, signal) => {
      if (!options.dryRun) told('replace', object.kind, object.metadata);
      return await client.replace(object, options, signal);
    },
    apply: async (object, options, signal) => {
      if (!options.dryRun) told('apply', object.kind, object.metadata);
      return await client.apply(object, options, signal);
    },
    patch: async (resource, ref, patch, options, signal) => {
      if (!options.dryRun) told('patch', resource.kind, ref);
      return await client.patch(resource, ref, patch, options, signal);
    },
    delete: async (resource, ref, options, signal) => {
      told('delete', resource.kind, ref);
      return await client.delete(resource, ref, options, signal);
    },
  };
}
