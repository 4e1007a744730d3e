import { AppError } from '#base/errors.ts';
import type { ActionContext, BuiltinAction } from '#drydock/actions/action.ts';
import { assumeRoleWithWebIdentity, callerIdentity, ecrAuthorizationToken } from '#oci/ecr-login.ts';
import { writeDockerLogin } from './docker-login.ts';

const defaultAudience = 'sts.amazonaws.com';

/** aws-actions/configure-aws-credentials: the job's identity token for temporary credentials, no static key anywhere. */
export const configureAwsCredentials: BuiltinAction = async (context, signal) => {
  const role = context.inputs['role-to-assume'];
  const region = context.inputs['aws-region'];
  if (!region) throw new AppError('bad-input', `${context.uses} needs aws-region`);
  if (!role) {
    throw new AppError(
      'unsupported',
      `${context.uses} without role-to-assume is not supported: static keys are not taken`,
      {
        hint: 'give role-to-assume and permissions: id-token: write',
      },
    );
  }
  const endpoint = context.env['AWS_ENDPOINT_URL_STS'] ?? context.env['AWS_ENDPOINT_URL'];
  const duration = Number(context.inputs['role-duration-seconds'] || 0);
  const webIdentityToken = await context.idToken(context.inputs['audience'] || defaultAudience, signal);
  const credentials = await assumeRoleWithWebIdentity(
    {
      ...(endpoint === undefined ? {} : { endpoint }),
      region,
      roleArn: role,
      sessionName: context.inputs['role-session-name'] || 'GitHubActions',
      webIdentityToken,
      ...(duration > 0 ? { durationSeconds: duration } : {}),
    },
    signal,
  );
  context.addMask(credentials.secretAccessKey);
  context.addMask(credentials.sessionToken);
  const variables = {
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
  };
  for (const [name, value] of Object.entries(variables)) context.setEnv(name, value);
  context.log(`Assumed ${credentials.assumedRoleArn} until ${credentials.expiration}`);
  return { outputs: { 'aws-account-id': /::(\d+):/.exec(credentials.assumedRoleArn)?.[1] ?? '' } };
};

/** aws-actions/amazon-ecr-login: those credentials for a registry login of the job. */
export const amazonEcrLogin: BuiltinAction = async (context, signal) => {
  const region = context.env['AWS_REGION'];
  const credentials = credentialsFrom(context);
  if (!region || !credentials) {
    throw new AppError('unauthorized', `${context.uses} found no AWS credentials`, {
      hint: 'run aws-actions/configure-aws-credentials in a step before',
    });
  }
  const endpointFor = (service: string) =>
    context.env[`AWS_ENDPOINT_URL_${service}`] ?? context.env['AWS_ENDPOINT_URL'];
  const withEndpoint = (service: string) => {
    const endpoint = endpointFor(service);
    return { region, credentials, ...(endpoint === undefined ? {} : { endpoint }) };
  };
  const { account } = await callerIdentity(withEndpoint('STS'), signal);
  const login = await ecrAuthorizationToken(withEndpoint('ECR'), signal);
  writeDockerLogin(context, login.registry, login);
  context.log(`Logged in to ${login.registry} of account ${account}`);
  return { outputs: { registry: login.registry } };
};

function credentialsFrom({ env }: ActionContext) {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = env;
  return accessKeyId && secretAccessKey && sessionToken ? { accessKeyId, secretAccessKey, sessionToken } : undefined;
}
