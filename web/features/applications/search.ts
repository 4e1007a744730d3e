import type { ApplicationView } from '#server/contract.ts';

/** Those that have every word in their name, place, version or state; upper and lower case are the same. */
export function searchApplications(applications: ApplicationView[], search: string): ApplicationView[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return applications;
  return applications.filter((view) => {
    const { name, service, environment, namespace, version, sync, health, source } = view;
    const text = [name, service, environment, namespace, version, sync, health.status, source?.path]
      .join(' ')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
