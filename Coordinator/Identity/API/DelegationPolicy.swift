import CoordinatorPlatform

/// Who may do what with application credentials, trusts, stored credentials and tokens: Keystone's defaults. Those for
/// one's own things hold for oneself alone, since nobody else can answer for them.
enum DelegationPolicy {
    private static let trustor: Policy.Rule = "user_id:%(target.trust.trustor_user_id)s"
    private static let trustee: Policy.Rule = "user_id:%(target.trust.trustee_user_id)s"
    private static let credentialOwner: Policy.Rule = "user_id:%(target.credential.user_id)s"
    private static let memberAndOwner: Policy.Rule = "role:member and user_id:%(target.credential.user_id)s"
    private static let service: Policy.Rule = .role("service")
    private static let oneself: Policy.Rule = "rule:owner"

    static let rules: [String: Policy.Rule] = [
        "identity:check_token": .owner || .systemReader, "identity:list_revoke_events": .admin || service,
        "identity:revoke_tokens_for_user": .owner,
        "identity:get_application_credential": .systemReader || .owner,
        "identity:list_application_credentials": .systemReader || .owner,
        "identity:create_application_credential": oneself, "identity:delete_application_credential": .owner,
        "identity:get_access_rule": .systemReader || .owner, "identity:list_access_rules": .systemReader || .owner,
        "identity:delete_access_rule": .owner,
        "identity:create_trust": trustor, "identity:list_trusts": .systemReader,
        "identity:list_trusts_for_trustor": .systemReader || trustor,
        "identity:list_trusts_for_trustee": .systemReader || trustee,
        "identity:get_trust": .systemReader || trustor || trustee, "identity:delete_trust": .admin || trustor,
        "identity:list_roles_for_trust": .systemReader || trustor || trustee,
        "identity:get_role_for_trust": .systemReader || trustor || trustee,
        "identity:get_credential": .systemReader || credentialOwner,
        "identity:list_credentials": .systemReader || credentialOwner,
        "identity:create_credential": .admin || credentialOwner,
        "identity:update_credential": .admin || credentialOwner,
        "identity:delete_credential": .admin || credentialOwner,
        "identity:ec2_get_credential": .systemReader || credentialOwner,
        "identity:ec2_list_credentials": .systemReader || .owner,
        "identity:ec2_create_credential": .admin || memberAndOwner,
        "identity:ec2_delete_credential": .admin || memberAndOwner,
        "identity:ec2tokens_validate": .admin || service, "identity:s3tokens_validate": .admin || service
    ]
}
