// The peer: the AWS SDK's managed upload, or a download that goes to disk as it arrives.
// Arguments: `put` or `get`, bucket, key, file. Endpoint and key are in the environment.

import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';

const [direction, Bucket, Key, file] = process.argv.slice(2);
const client = new S3Client({ forcePathStyle: true });
if (direction === 'put') {
  await new Upload({ client, params: { Bucket, Key, Body: createReadStream(file) } }).done();
} else {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
  await pipeline(Body, createWriteStream(file));
}
client.destroy();
