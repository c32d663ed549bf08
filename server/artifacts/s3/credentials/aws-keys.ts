import { Failure } from '../../../../shared/failure';
import { type AccessKey, AccessKeys } from '../access-keys';
import { type AwsProfile, type Environment, readAwsProfile } from './aws-profile';
import { type WebIdentity, type WebIdentityTools, webIdentityKey } from './web-identity';

/**
 * The key that AWS's own tools would use: from the environment, else by web identity, else from the profile.
 * @throws Failure('credential-missing') when it is read and there is none
 */
export function awsKeys(environment: Environment, tools: WebIdentityTools, now: () => number): AccessKeys {
  const origin = isSet(environment, 'AWS_ACCESS_KEY_ID') ? 'the key in AWS_ACCESS_KEY_ID' : 'the AWS profile';
  return new AccessKeys(origin, (signal) => readKey(environment, tools, signal), now);
}

async function readKey(environment: Environment, tools: WebIdentityTools, signal: AbortSignal): Promise<AccessKey> {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = environment;
  if (id?.trim() && secret?.trim()) return keyOf(id, secret, environment['AWS_SESSION_TOKEN']);
  const profile = await readAwsProfile(environment);
  const identity = webIdentityOf(environment, profile);
  if (identity) return webIdentityKey(identity, tools, signal);
  const [ownId, ownSecret] = [profile.value('aws_access_key_id'), profile.value('aws_secret_access_key')];
  if (ownId !== undefined && ownSecret !== undefined) {
    return keyOf(ownId, ownSecret, profile.value('aws_session_token'));
  }
  throw missing(profile);
}

function keyOf(id: string, secret: string, sessionToken: string | undefined): AccessKey {
  return { id: id.trim(), secret: secret.trim(), sessionToken: sessionToken?.trim() || undefined };
}

function webIdentityOf(environment: Environment, profile: AwsProfile): WebIdentity | undefined {
  const tokenFile = environment['AWS_WEB_IDENTITY_TOKEN_FILE'] ?? profile.value('web_identity_token_file');
  const role = environment['AWS_ROLE_ARN'] ?? profile.value('role_arn');
  if (!tokenFile || !role) return undefined;
  const session = environment['AWS_ROLE_SESSION_NAME'] ?? profile.value('role_session_name') ?? 'diffusion-dock';
  const region = environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION'] ?? profile.value('region');
  return { tokenFile, role, session, region: region ?? 'us-east-1', endpoint: environment['AWS_ENDPOINT_URL_STS'] };
}

/** Ways to a key that AWS's own tools know and this product does not. */
const OTHER_WAYS = [
  'sso_session',
  'sso_start_url',
  'credential_process',
  'source_profile',
  'credential_source',
  'login_session'
];

function missing(profile: AwsProfile): Failure {
  const other = OTHER_WAYS.find((key) => profile.value(key) !== undefined);
  if (other !== undefined) {
    return new Failure(
      'credential-missing',
      `The AWS profile “${profile.name}” gets its key by ${other}, which is not supported.`,
      {
        subject: profile.name,
        nextStep: 'Put the key into the environment: aws configure export-credentials --format env tells it.'
      }
    );
  }
  return new Failure('credential-missing', 'There is no access key for the store.', {
    subject: profile.name,
    nextStep:
      'Store one as a credential (KEYID:SECRET) and name it in diffusionDock.stores, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.',
    remedy: { kind: 'credential' }
  });
}

function isSet(environment: Environment, name: string): boolean {
  return Boolean(environment[name]?.trim());
}
