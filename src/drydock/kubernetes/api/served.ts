import type { JsonObject } from '#base/json.ts';
import type { GroupResource, Gvk, KindType, TypeRegistry } from './port.ts';
import { builtinResources, type Subresource } from './resources.ts';
import { autoscalerConversion } from './write/autoscaler-conversion.ts';
import type { Conversion } from './write/conversion.ts';
import { eventConversion } from './write/event-conversion.ts';

/** One kind at one version, as requests meet it. */
export interface ServedResource {
  group: string;
  version: string;
  plural: string;
  singular: string;
  kind: string;
  listKind: string;
  namespaced: boolean;
  shortNames: string[];
  categories: string[];
  subresources: Subresource[];
  hasGeneration: boolean;
  /** `pods`, `deployments.apps`: how errors name it. Versions of one kind share it. */
  groupResource: GroupResource;
  /** How the store names it: `groupResource`, but for a kind that is kept as another. */
  storage: GroupResource;
  conversion: Conversion | undefined;
  type: KindType;
  custom: CustomDetails | undefined;
}

/** What a CustomResourceDefinition says beyond the names. */
export interface CustomDetails {
  storageVersion: string;
  schema: JsonObject | undefined;
  printerColumns: PrinterColumn[];
  selectableFields: string[];
  /** The warning of a deprecated version. */
  deprecation: string | undefined;
  scale: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath: string | undefined } | undefined;
}

export interface PrinterColumn {
  name: string;
  type: string;
  format: string;
  description: string;
  priority: number;
  jsonPath: string;
}

/** Kinds that are kept in another served form of theirs. */
const conversions: Record<string, Conversion> = {
  'events.k8s.io/v1/events': eventConversion,
  'autoscaling/v1/horizontalpodautoscalers': autoscalerConversion,
};

/** Every kind that is served now. `generation` changes with it, so that what is computed from it can be kept. */
export class ServedResources {
  readonly #byPath = new Map<string, ServedResource>();
  readonly #customs = new Map<string, ServedResource[]>();
  #generation = 1;
  #measured = false;

  constructor(types: TypeRegistry) {
    for (const row of builtinResources) {
      const type = types.builtin({ group: row.group, version: row.version, kind: row.kind });
      if (!type) continue;
      const conversion = conversions[`${row.group}/${row.version}/${row.plural}`];
      const resource = {
        ...row,
        listKind: `${row.kind}List`,
        groupResource: groupResource(row.group, row.plural),
        storage: conversion?.storage ?? groupResource(row.group, row.plural),
        conversion,
        type,
        custom: undefined,
      };
      this.#byPath.set(pathOf(resource), resource);
    }
  }

  /** Whether resource usage is served. */
  get measured(): boolean {
    return this.#measured;
  }

  setMeasured(measured: boolean): void {
    this.#measured = measured;
    this.#generation += 1;
  }

  get generation(): number {
    return this.#generation;
  }

  all(): ServedResource[] {
    return [...this.#byPath.values()];
  }

  find(group: string, version: string, plural: string): ServedResource | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`);
  }

  ofKind(gvk: Gvk): ServedResource | undefined {
    return this.all().find(
      (resource) => resource.group === gvk.group && resource.version === gvk.version && resource.kind === gvk.kind,
    );
  }

  /** By `deployments.apps`; for a custom resource at its stored version. */
  ofGroupResource(name: GroupResource): ServedResource | undefined {
    const found = this.all().filter((resource) => resource.groupResource === name);
    return found.find((resource) => resource.custom?.storageVersion === resource.version) ?? found[0];
  }

  /** What one CustomResourceDefinition serves now. */
  ofDefinition(definition: string): ServedResource[] {
    return this.#customs.get(definition) ?? [];
  }

  /** Replaces what one CustomResourceDefinition serves; an empty list withdraws it. */
  setCustom(definition: string, resources: ServedResource[]): void {
    for (const old of this.#customs.get(definition) ?? []) this.#byPath.delete(pathOf(old));
    for (const resource of resources) this.#byPath.set(pathOf(resource), resource);
    if (resources.length > 0) this.#customs.set(definition, resources);
    else this.#customs.delete(definition);
    this.#generation += 1;
  }
}

export function groupResource(group: string, plural: string): GroupResource {
  return group === '' ? plural : `${plural}.${group}`;
}

export function apiVersionOf(resource: { group: string; version: string }): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** `ConfigMap`, or `Deployment.apps`: how validation errors name it. */
export function groupKind(resource: { group: string; kind: string }): string {
  return resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`;
}

export function hasSubresource(resource: ServedResource, name: Subresource): boolean {
  return resource.subresources.includes(name);
}

export function objectKey(resource: { namespaced: boolean }, namespace: string | undefined, name: string): string {
  return resource.namespaced ? `${namespace ?? ''}/${name}` : name;
}

function pathOf(resource: { group: string; version: string; plural: string }): string {
  return `${resource.group}/${resource.version}/${resource.plural}`;
}
