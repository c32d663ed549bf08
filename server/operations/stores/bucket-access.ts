import { Failure } from '../../../shared/failure';
import { SETTINGS } from '../../../shared/settings';
import type { StoreSetting } from '../../../shared/store-settings';
import { AccessKeys, parseAccessKey } from '../../artifacts/s3/access-keys';
import type { Bucket } from '../../artifacts/s3/bucket';
import { awsKeys } from '../../artifacts/s3/credentials/aws-keys';
import { type AwsProfile, readAwsProfile } from '../../artifacts/s3/credentials/aws-profile';
import type { S3ClientOptions } from '../../artifacts/s3/s3-client';
import { credentialVariable } from '../../pull/http/credentials';
import { checkedAddress } from '../../pull/http/web-address';
import type { Services } from '../services';

/** What it takes to reach buckets. */
export type BucketParts = Pick<Services, 'http' | 'policy' | 'clock' | 'log' | 'environment' | 'credentials'>;

/** A bucket by its address, and what the user says of it. */
export interface NamedBucket extends Omit<StoreSetting, 'url'> {
  readonly scheme: 's3' | 'r2';
  readonly bucket: string;
}

/**
 * The way to a bucket, by the settings, else by the variables and files of AWS's own tools. The key is read when the
 * first request is signed: who has all files of a model already needs none.
 * @throws Failure when the endpoint cannot be used
 */
export async function bucketAccess(services: BucketParts, named: NamedBucket): Promise<S3ClientOptions> {
  const { http, clock, log, environment, policy } = services;
  const profile = await readAwsProfile(environment);
  const region = regionOf(named, environment, profile);
  const own = endpointOf(named, environment, profile);
  const admission = own === undefined ? 'named' : 'user';
  const endpoint = checkedAddress(own ?? awsEndpoint(region), policy, admission);
  const bucket: Bucket = {
    scheme: named.scheme,
    name: named.bucket,
    endpoint,
    region,
    pathStyle: named.pathStyle ?? (own !== undefined || named.bucket.includes('.')),
    admission
  };
  const keys =
    named.credential === undefined
      ? awsKeys(environment, { http, policy }, clock.now)
      : storedKeys(services, named.credential, endpoint);
  return { bucket, keys, http, clock, log };
}

type Environment = BucketParts['environment'];

function regionOf({ region, scheme }: NamedBucket, environment: Environment, profile: AwsProfile): string {
  if (region !== undefined) return region;
  // R2 knows one region only, whatever AWS's own tools are set to.
  if (scheme === 'r2') return 'auto';
  return environment['AWS_REGION'] || environment['AWS_DEFAULT_REGION'] || profile.value('region') || 'us-east-1';
}

/** The endpoint that the user named; undefined for AWS. */
function endpointOf(named: NamedBucket, environment: Environment, profile: AwsProfile): string | undefined {
  if (named.endpoint !== undefined) return named.endpoint;
  const account = environment['R2_ACCOUNT_ID'];
  if (named.scheme === 'r2' && account) return `https://${account}.r2.cloudflarestorage.com`;
  const set = environment['AWS_ENDPOINT_URL_S3'] || environment['AWS_ENDPOINT_URL'] || profile.value('endpoint_url');
  if (set !== undefined && set !== '') return set;
  if (named.scheme === 's3') return undefined;
  throw new Failure('wrong-usage', 'An r2: address needs the endpoint of the account.', {
    subject: `r2://${named.bucket}`,
    nextStep: `Set it in ${SETTINGS.stores.key}, or AWS_ENDPOINT_URL_S3 or R2_ACCOUNT_ID.`,
    remedy: { kind: 'setting', key: SETTINGS.stores.key }
  });
}

function awsEndpoint(region: string): string {
  return `https://s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}

/** When the key is read and the alias cannot be used there: Failure('credential-missing'), before any connection. */
function storedKeys({ credentials, clock }: BucketParts, alias: string, endpoint: URL): AccessKeys {
  const variable = credentialVariable(alias);
  const read = async () => {
    const credential = await credentials.find(alias);
    if (!credential) {
      throw missing(`There is no credential named “${alias}”.`, `Store one under that name, or set ${variable}.`);
    }
    if (!credential.origins.includes(endpoint.origin)) {
      const nextStep = `Store it again for ${endpoint.origin}; on the command line set ${variable}_ORIGINS.`;
      throw missing(`The credential “${alias}” is not for ${endpoint.origin}.`, nextStep);
    }
    const key = parseAccessKey(credential.secret);
    if (key) return key;
    throw missing(`The credential “${alias}” is no access key.`, 'Store it again in the form KEYID:SECRET.');
  };
  return new AccessKeys(`the credential “${alias}”`, read, clock.now);
}

function missing(message: string, nextStep: string): Failure {
  return new Failure('credential-missing', message, {
    subject: SETTINGS.stores.key,
    nextStep,
    remedy: { kind: 'credential' }
  });
}
