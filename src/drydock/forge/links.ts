/** Addresses of the forge, all below its external URL. */
export class Links {
  readonly root: string;

  constructor(root: string) {
    this.root = root.replace(/\/$/, '');
  }

  get api(): string {
    return `${this.root}/api/v3`;
  }

  repo(fullName: string): string {
    return `${this.api}/repos/${fullName}`;
  }

  html(path: string): string {
    return `${this.root}/${path}`;
  }
}
