import type { GhEnvironment } from '#cli/toolbox/gh.ts';

/** Where the GitHub API is and who asks, by the variables that workflow jobs and GitHub's own programs use. */
export function githubEnvironment(env: NodeJS.ProcessEnv): GhEnvironment {
  return { apiUrl: env['GITHUB_API_URL'] ?? 'https://api.github.com', token: env['GH_TOKEN'] ?? env['GITHUB_TOKEN'] };
}
