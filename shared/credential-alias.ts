/** The form of an alias under which a credential is stored. */
export const CREDENTIAL_ALIAS = /^[a-z0-9-]+$/;

/** Says what an alias looks like, for messages about those that do not. */
export const CREDENTIAL_ALIAS_FORM =
  'A credential alias holds lower-case letters, digits and hyphens; it is never the secret itself.';
