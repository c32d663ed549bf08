/** The option that names a credential to use instead of the one that manifests name. */
export const CREDENTIAL_OPTION = { credential: { type: 'string' } } as const;
