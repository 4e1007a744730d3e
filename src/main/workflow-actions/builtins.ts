import type { Builtins } from '#drydock/actions/action.ts';
import { amazonEcrLogin, configureAwsCredentials } from './aws.ts';
import { type DockerBuildDeps, dockerBuildPush } from './docker-build.ts';
import { dockerLogin } from './docker-login.ts';

/** The actions of the laptop's runner that need Slipway's own registry client and builder. */
export function workflowActions(deps: DockerBuildDeps): Builtins {
  return {
    'aws-actions/configure-aws-credentials': configureAwsCredentials,
    'aws-actions/amazon-ecr-login': amazonEcrLogin,
    'docker/login-action': dockerLogin,
    // Without an engine there is nothing to set up.
    'docker/setup-buildx-action': async (context) => {
      context.log('no container engine: images are built by Slipway itself');
      return {};
    },
    'docker/build-push-action': dockerBuildPush(deps),
  };
}
