import type { ApplicationStatus, ResourceResult, ResourceStatus } from '#model/argocd/application.ts';

/** Entries of resources and results together, beyond which a status says less about what went well. */
const shortResultsAbove = 4_000;
const shortResourcesAbove = 6_000;

function shortResult(result: ResourceResult): ResourceResult {
  if (result.hookPhase !== 'Succeeded' || result.status === 'PruneSkipped') return result;
  const { message: _message, images: _images, ...rest } = result;
  return rest;
}

function shortResource(resource: ResourceStatus): ResourceStatus {
  if (resource.health?.status !== 'Healthy') return resource;
  const { health: _health, ...rest } = resource;
  return rest;
}

/**
 * A status that an API server takes: it refuses objects beyond 1.5 MB. Of large applications, what succeeded is listed
 * without its messages and images, of very large ones what is healthy without its health. It depends on counts alone, so
 * that the same state is written the same.
 */
export function boundedStatus(status: ApplicationStatus): ApplicationStatus {
  const { resources = [], operationState } = status;
  const results = operationState?.syncResult?.resources ?? [];
  const entries = resources.length + results.length;
  if (entries <= shortResultsAbove) return status;
  const out: ApplicationStatus = { ...status };
  if (operationState?.syncResult)
    out.operationState = {
      ...operationState,
      syncResult: { ...operationState.syncResult, resources: results.map(shortResult) },
    };
  if (entries > shortResourcesAbove) out.resources = resources.map(shortResource);
  return out;
}
