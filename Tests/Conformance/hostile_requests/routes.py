"""Every route of six services: `METHOD[:BODY[>KIND]] PATH ?FILTERS`.

BODY names a function of `bodies`, KIND what a success makes, so that later requests can name it. `{kind}` in a path is
an id of that kind. GET stands for HEAD too.
"""
import dataclasses
import re

from . import cloud_routes

IDENTITY = """
GET /
GET /v3
POST:login GET DELETE /v3/auth/tokens ?nocatalog,allow_expired
GET /v3/auth/projects
GET /v3/auth/domains
GET /v3/auth/system
GET /v3/auth/catalog
GET /v3/auth/tokens/OS-PKI/revoked
GET /v3/OS-REVOKE/events ?since
GET /v3/OS-SIMPLE-CERT/ca
GET /v3/OS-SIMPLE-CERT/certificates
GET POST:project>project /v3/projects ?name,domain_id,parent_id,enabled,is_domain,tags,tags-any,not-tags,not-tags-any
GET PATCH:project_change DELETE /v3/projects/{project} \
?parents_as_list,parents_as_ids,subtree_as_ids,subtree_as_list,include_limits,cascade
GET PUT:tags DELETE /v3/projects/{project}/tags
GET PUT DELETE /v3/projects/{project}/tags/{tag}
GET POST:domain>domain /v3/domains ?name,enabled
GET PATCH:domain_change DELETE /v3/domains/{domain} ?cascade
GET PUT:config PATCH:config DELETE /v3/domains/{domain}/config
GET PATCH:config DELETE /v3/domains/{domain}/config/{config_group}
GET PATCH:config_option DELETE /v3/domains/{domain}/config/{config_group}/{config_option}
GET /v3/domains/config/default
GET /v3/domains/config/{config_group}/default
GET /v3/domains/config/{config_group}/{config_option}/default
GET POST:user>user /v3/users ?name,domain_id,enabled,email,default_project_id,password_expires_at
GET PATCH:user_change DELETE /v3/users/{user}
POST:password /v3/users/{user}/password
GET /v3/users/{user}/projects
GET /v3/users/{user}/groups
DELETE /v3/users/{user}/tokens
GET POST:application_credential>application_credential /v3/users/{user}/application_credentials ?name
GET DELETE /v3/users/{user}/application_credentials/{application_credential}
GET /v3/users/{user}/access_rules
GET DELETE /v3/users/{user}/access_rules/{access_rule}
GET POST:ec2>ec2 /v3/users/{user}/credentials/OS-EC2
GET DELETE /v3/users/{user}/credentials/OS-EC2/{ec2}
GET POST:credential>credential /v3/credentials ?user_id,type
GET PATCH:credential_change DELETE /v3/credentials/{credential}
POST:ec2_login /v3/ec2tokens
POST:s3_login /v3/s3tokens
GET POST:trust>trust /v3/OS-TRUST/trusts ?trustor_user_id,trustee_user_id
GET DELETE /v3/OS-TRUST/trusts/{trust}
GET /v3/OS-TRUST/trusts/{trust}/roles
GET /v3/OS-TRUST/trusts/{trust}/roles/{role}
GET POST:group>group /v3/groups ?name,domain_id
GET PATCH:group_change DELETE /v3/groups/{group}
GET /v3/groups/{group}/users ?password_expires_at
GET PUT DELETE /v3/groups/{group}/users/{user}
GET POST:role>role /v3/roles ?name,domain_id
GET PATCH:role_change DELETE /v3/roles/{role}
GET /v3/role_inferences
GET /v3/roles/{role}/implies
GET PUT DELETE /v3/roles/{role}/implies/{role}
GET /v3/role_assignments \
?user.id,group.id,role.id,scope.project.id,scope.domain.id,scope.system,effective,include_names,include_subtree,\
scope.OS-INHERIT:inherited_to
GET POST:region>region /v3/regions ?parent_region_id
GET PATCH:region_change DELETE /v3/regions/{region}
GET POST:service>service /v3/services ?name,type
GET PATCH:service DELETE /v3/services/{service}
GET POST:endpoint>endpoint /v3/endpoints ?interface,service_id,region_id
GET PATCH:endpoint DELETE /v3/endpoints/{endpoint}
GET POST:endpoint_group>endpoint_group /v3/OS-EP-FILTER/endpoint_groups ?name
GET PATCH:endpoint_group DELETE /v3/OS-EP-FILTER/endpoint_groups/{endpoint_group}
GET /v3/OS-EP-FILTER/endpoint_groups/{endpoint_group}/projects
GET /v3/OS-EP-FILTER/endpoint_groups/{endpoint_group}/endpoints
GET PUT DELETE /v3/OS-EP-FILTER/endpoint_groups/{endpoint_group}/projects/{project}
GET PUT DELETE /v3/OS-EP-FILTER/projects/{project}/endpoints/{endpoint}
GET /v3/OS-EP-FILTER/projects/{project}/endpoints
GET /v3/OS-EP-FILTER/projects/{project}/endpoint_groups
GET /v3/OS-EP-FILTER/endpoints/{endpoint}/projects
GET POST:policy>policy /v3/policies ?type
GET PATCH:policy DELETE /v3/policies/{policy}
GET PUT DELETE /v3/policies/{policy}/OS-ENDPOINT-POLICY/endpoints/{endpoint}
GET PUT DELETE /v3/policies/{policy}/OS-ENDPOINT-POLICY/services/{service}
GET PUT DELETE /v3/policies/{policy}/OS-ENDPOINT-POLICY/services/{service}/regions/{region}
GET /v3/policies/{policy}/OS-ENDPOINT-POLICY/endpoints
GET /v3/endpoints/{endpoint}/OS-ENDPOINT-POLICY/policy
GET /v3/limits/model
GET POST:registered_limits>registered_limit /v3/registered_limits ?service_id,region_id,resource_name
GET PATCH:registered_limit_change DELETE /v3/registered_limits/{registered_limit}
GET POST:limits>limit /v3/limits ?service_id,region_id,resource_name,project_id,domain_id
GET PATCH:limit_change DELETE /v3/limits/{limit}
"""

GRANTS = "\n".join(
    f"GET {place}/{actor}s/{{{actor}}}/roles{suffix}\n"
    f"GET PUT DELETE {place}/{actor}s/{{{actor}}}/roles/{{role}}{suffix}"
    for actor in ("user", "group")
    for place, suffix in (
        ("/v3/projects/{project}", ""), ("/v3/domains/{domain}", ""), ("/v3/system", ""),
        ("/v3/OS-INHERIT/projects/{project}", "/inherited_to_projects"),
        ("/v3/OS-INHERIT/domains/{domain}", "/inherited_to_projects")))

IMAGE = """
GET /
GET /versions
GET /v2/schemas/image
GET /v2/schemas/images
GET /v2/schemas/member
GET /v2/schemas/members
GET /v2/schemas/task
GET /v2/schemas/tasks
GET /v2/schemas/metadefs/namespace
GET /v2/schemas/metadefs/resource_types
GET /v2/info/import
GET /v2/info/stores
GET /v2/info/stores/detail
GET /v2/info/usage
DELETE /v2/stores/{store}/{image}
GET POST:image>image DELETE /v2/images ?@images
GET POST:image>image /v2/images ?@images
GET PATCH:image_patch DELETE /v2/images/{image}
PATCH:image_patch /v2/images/{image}
GET PUT:@data /v2/images/{image}/file
GET PUT:@data /v2/images/{image}/stage
POST:image_import /v2/images/{image}/import
PUT DELETE /v2/images/{image}/tags/{tag}
GET POST:member /v2/images/{image}/members
GET PUT:member_status DELETE /v2/images/{image}/members/{project}
POST /v2/images/{image}/actions/deactivate
POST /v2/images/{image}/actions/reactivate
GET /v2/images/{image}/tasks
GET POST:task /v2/tasks ?type,status,limit,marker,sort_key,sort_dir
GET DELETE /v2/tasks/{task}
GET POST:namespace>namespace /v2/metadefs/namespaces ?limit,marker,sort_key,sort_dir,visibility,resource_types
GET PUT:namespace DELETE /v2/metadefs/namespaces/{namespace}
GET POST:metadef_object>object DELETE /v2/metadefs/namespaces/{namespace}/objects ?limit,marker,sort_key,sort_dir
GET PUT:metadef_object DELETE /v2/metadefs/namespaces/{namespace}/objects/{object}
GET POST:named_property>property DELETE /v2/metadefs/namespaces/{namespace}/properties ?limit,marker
GET PUT:named_property DELETE /v2/metadefs/namespaces/{namespace}/properties/{property} ?resource_type
GET POST:metadef_tags DELETE /v2/metadefs/namespaces/{namespace}/tags ?limit,marker,sort_key,sort_dir
GET POST PUT:metadef_tag DELETE /v2/metadefs/namespaces/{namespace}/tags/{tag}
GET POST:association>type /v2/metadefs/namespaces/{namespace}/resource_types
DELETE /v2/metadefs/namespaces/{namespace}/resource_types/{type}
GET /v2/metadefs/resource_types
"""

PLACEMENT = """
GET /
GET POST:provider>provider /resource_providers ?name,uuid,member_of,resources,in_tree,required
GET PUT:provider_change DELETE /resource_providers/{provider}
GET PUT:inventories POST:inventory DELETE /resource_providers/{provider}/inventories
GET PUT:inventory DELETE /resource_providers/{provider}/inventories/{class}
GET /resource_providers/{provider}/usages
GET /resource_providers/{provider}/allocations
GET PUT:provider_aggregates /resource_providers/{provider}/aggregates
GET PUT:provider_traits DELETE /resource_providers/{provider}/traits
GET POST:resource_class /resource_classes
GET PUT:resource_class DELETE /resource_classes/{class}
GET /traits ?name,associated
GET PUT DELETE /traits/{trait}
POST:allocation_map /allocations
GET PUT:allocation DELETE /allocations/{consumer}
POST:reshaping /reshaper
GET /usages ?project_id,user_id,consumer_type
GET /allocation_candidates ?@candidates
"""

CANDIDATE_FILTERS = (
    "resources", "resources", "resources1", "resources_A", "required", "required1", "required_A", "member_of",
    "member_of1", "in_tree", "in_tree_A", "limit", "group_policy", "root_required", "same_subtree", "colour")

IMAGE_FILTERS = (
    "limit", "marker", "sort", "sort_key", "sort_dir", "visibility", "member_status", "tag", "os_hidden", "protected",
    "name", "id", "status", "container_format", "disk_format", "owner", "checksum", "os_hash_value", "os_hash_algo",
    "created_at", "updated_at", "size", "size_min", "size_max", "min_ram", "min_ram_min", "min_disk_max",
    "changes-since", "deleted", "hw_disk_bus", "colour")


@dataclasses.dataclass(frozen=True)
class Route:
    service: str
    method: str
    body: str
    makes: str
    path: str
    filters: tuple

    @property
    def parameters(self):
        return re.findall(r"\{(\w+)\}", self.path)


def read(service, table):
    for line in table.strip().splitlines():
        words = line.split()
        filters = ()
        if words[-1].startswith("?"):
            filters = tuple(words.pop()[1:].split(","))
        if filters == ("@images",):
            filters = IMAGE_FILTERS
        if filters == ("@candidates",):
            filters = CANDIDATE_FILTERS
        for word in words[:-1]:
            method, _, rest = word.partition(":")
            body, _, makes = rest.partition(">")
            yield Route(service, method, body, makes, words[-1], filters)


# What the network, compute and volume services know.
CLOUD_KINDS = {
    "network", "subnet", "port", "router", "floatingip", "port_forwarding", "security_group", "security_group_rule",
    "subnetpool", "address_scope", "address_group", "rbac_policy", "server", "server_group", "keypair", "flavor",
    "volume", "volume_snapshot", "attachment", "transfer", "volume_type", "aggregate", "qos"}

TABLES = {
    "/identity": IDENTITY + GRANTS, "/image": IMAGE, "/placement": PLACEMENT, "/network": cloud_routes.NETWORK,
    "/compute": cloud_routes.COMPUTE, "/volume": cloud_routes.VOLUME}
ALL = tuple(route for service, table in TABLES.items() for route in read(service, table))


def undescribed(home):
    """Paths of the identity service's JSON-home document that have no route here."""
    known = {shape(route.path) for route in ALL if route.service == "/identity"}
    paths = {entry.get("href") or entry["href-template"] for entry in home["resources"].values()}
    return sorted(path for path in paths if shape("/v3" + path) not in known)


def shape(path):
    return re.sub(r"\{\w+\}", "{}", path)
