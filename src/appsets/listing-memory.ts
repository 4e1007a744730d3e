import type { GitListing } from './generators/git.ts';

/** What commits hold never changes: it is read once, and kept while looks ask for it. */
export class ListingMemory {
  #known = new Map<string, GitListing>();
  #used = new Map<string, GitListing>();
  /** Commits that were gone through. */
  reads = 0;

  async get(key: string, read: () => Promise<GitListing>): Promise<GitListing> {
    const known = this.#used.get(key) ?? this.#known.get(key);
    if (!known) this.reads += 1;
    const listing = known ?? (await read());
    this.#used.set(key, listing);
    return listing;
  }

  endRound(): void {
    this.#known = this.#used;
    this.#used = new Map();
  }
}
