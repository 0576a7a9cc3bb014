# Passwords and the clients' configuration. Sourced; needs clouds_file and state_dir.

new_password() { head -c 18 /dev/urandom | base64 | tr '+/' '-_'; }

# write_clouds CLOUD:USER:PASSWORD_FILE...: each user's project has the user's name.
write_clouds() {
    local cloud name user password_file
    (
        # Before the file is made: it has passwords.
        umask 077
        exec >"$clouds_file.new"
        echo "clouds:"
        for cloud in "$@"; do
            IFS=: read -r name user password_file <<<"$cloud"
            cat <<CLOUD
  $name:
    auth:
      auth_url: https://127.0.0.1:8700/identity/v3
      username: $user
      password: "$(head -n 1 "$password_file")"
      project_name: $user
      user_domain_name: Default
      project_domain_name: Default
    region_name: RegionOne
    identity_api_version: 3
    cacert: $state_dir/coordinator/ca/ca.crt
CLOUD
        done
    )
    mv "$clouds_file.new" "$clouds_file"
}
