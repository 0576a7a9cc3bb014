extension TwoTenantTable {
    /// See ``TwoTenantLine``. Every path stands below `{project_id}`, which is the caller's own here.
    static let volume = """
        GET /volume/v3/{project_id}/volumes/{id} {id} volume foreign=404 gone=404 malformed=404
        PUT /volume/v3/{project_id}/volumes/{id} {id} volume foreign=404 gone=404 malformed=404
        DELETE /volume/v3/{project_id}/volumes/{id} {id} volume foreign=404 gone=404 malformed=404
        GET /volume/v3/{project_id}/volumes/{id}/encryption {id} volume foreign=404 gone=404 malformed=404
        GET /volume/v3/{project_id}/volumes/{id}/encryption/{key} {id} volume foreign=404 gone=404 malformed=404
        POST /volume/v3/{project_id}/volumes/{id}/action {id} volume foreign=404 gone=404 malformed=404
        GET /volume/v3/{project_id}/volumes/{id}/metadata {id} volume foreign=404 gone=404 malformed=404
        POST /volume/v3/{project_id}/volumes/{id}/metadata {id} volume foreign=404 gone=404 malformed=404
        PUT /volume/v3/{project_id}/volumes/{id}/metadata {id} volume foreign=404 gone=404 malformed=404
        GET /volume/v3/{project_id}/volumes/{id}/metadata/{key} {id} volume foreign=404 gone=404 malformed=404
        PUT /volume/v3/{project_id}/volumes/{id}/metadata/{key} {id} volume foreign=404 gone=404 malformed=404
        DELETE /volume/v3/{project_id}/volumes/{id}/metadata/{key} {id} volume foreign=404 gone=404 malformed=404
        GET /volume/v3/{project_id}/snapshots/{id}/metadata {id} volume_snapshot foreign=404 gone=404 malformed=404
        POST /volume/v3/{project_id}/snapshots/{id}/metadata {id} volume_snapshot foreign=404 gone=404 malformed=404
        PUT /volume/v3/{project_id}/snapshots/{id}/metadata {id} volume_snapshot foreign=404 gone=404 malformed=404
        GET /volume/v3/{project_id}/snapshots/{id}/metadata/{key} {id} volume_snapshot foreign=404 gone=404 malformed=404
        PUT /volume/v3/{project_id}/snapshots/{id}/metadata/{key} {id} volume_snapshot foreign=404 gone=404 malformed=404
        DELETE /volume/v3/{project_id}/snapshots/{id}/metadata/{key} {id} volume_snapshot foreign=404 gone=404 malformed=404
        POST /volume/v3/{project_id}/volumes volume.snapshot_id volume_snapshot foreign=404 gone=404 malformed=400
        POST /volume/v3/{project_id}/volumes volume.source_volid volume foreign=404 gone=404 malformed=400
        POST /volume/v3/{project_id}/volumes volume.imageRef image foreign=400 gone=400 malformed=400 seen=202
        POST /volume/v3/{project_id}/volumes volume.image_id image foreign=400 gone=400 malformed=400 seen=202
        POST /volume/v3/{project_id}/volumes volume.volume_type volume_type foreign=404 gone=404 malformed=404 seen=202
        POST /volume/v3/{project_id}/volumes volume.consistencygroup_id volume foreign=404 gone=404 malformed=400
        POST /volume/v3/{project_id}/volumes volume.group_id volume foreign=404 gone=404 malformed=404
        POST /volume/v3/{project_id}/volumes volume.backup_id volume foreign=404 gone=404 malformed=400
        POST /volume/v3/{project_id}/volumes volume.availability_zone - # zones are for everybody
        GET /volume/v3/{project_id}/snapshots/{id} {id} volume_snapshot foreign=404 gone=404 malformed=404
        PUT /volume/v3/{project_id}/snapshots/{id} {id} volume_snapshot foreign=404 gone=404 malformed=404
        DELETE /volume/v3/{project_id}/snapshots/{id} {id} volume_snapshot foreign=404 gone=404 malformed=404
        POST /volume/v3/{project_id}/snapshots/{id}/action {id} volume_snapshot foreign=404 gone=404 malformed=404
        POST /volume/v3/{project_id}/snapshots snapshot.volume_id volume foreign=404 gone=404 malformed=400
        GET /volume/v3/{project_id}/attachments/{id} {id} attachment foreign=404 gone=404 malformed=404
        PUT /volume/v3/{project_id}/attachments/{id} {id} attachment foreign=404 gone=404 malformed=404
        DELETE /volume/v3/{project_id}/attachments/{id} {id} attachment foreign=404 gone=404 malformed=404
        POST /volume/v3/{project_id}/attachments/{id}/action {id} attachment foreign=404 gone=404 malformed=404
        POST /volume/v3/{project_id}/attachments attachment.volume_uuid volume foreign=404 gone=404 malformed=400
        POST /volume/v3/{project_id}/attachments attachment.instance_uuid - # kept as a note of the caller's own volume; no server ever sees it
        GET /volume/v3/{project_id}/types/{type_id} {type_id} volume_type foreign=404 gone=404 malformed=404 seen=200
        PUT /volume/v3/{project_id}/types/{type_id} {type_id} volume_type foreign=403 gone=403 malformed=403 seen=403
        DELETE /volume/v3/{project_id}/types/{type_id} {type_id} volume_type foreign=403 gone=403 malformed=403 seen=403
        GET /volume/v3/{project_id}/types/{type_id}/os-volume-type-access {type_id} volume_type foreign=403 gone=403 malformed=403 seen=403
        POST /volume/v3/{project_id}/types/{type_id}/action {type_id} volume_type foreign=403 gone=403 malformed=403 seen=403
        GET /volume/v3/{project_id}/types/{type_id}/extra_specs {type_id} volume_type foreign=404 gone=404 malformed=404 seen=200
        POST /volume/v3/{project_id}/types/{type_id}/extra_specs {type_id} volume_type foreign=403 gone=403 malformed=403 seen=403
        GET /volume/v3/{project_id}/types/{type_id}/extra_specs/{key} {type_id} volume_type foreign=404 gone=404 malformed=404 seen=404
        PUT /volume/v3/{project_id}/types/{type_id}/extra_specs/{key} {type_id} volume_type foreign=403 gone=403 malformed=403 seen=403
        DELETE /volume/v3/{project_id}/types/{type_id}/extra_specs/{key} {type_id} volume_type foreign=403 gone=403 malformed=403 seen=403
        GET /volume/v3/{project_id}/os-quota-sets/{target_id} {target_id} project foreign=403 gone=403
        GET /volume/v3/{project_id}/os-quota-sets/{target_id}/defaults {target_id} project foreign=403 gone=403
        PUT /volume/v3/{project_id}/os-quota-sets/{target_id} {target_id} project foreign=403 gone=403
        DELETE /volume/v3/{project_id}/os-quota-sets/{target_id} {target_id} project foreign=403 gone=403
        PUT /volume/v3/{project_id}/os-services/{verb} host text foreign=403 gone=403
        GET /volume/v3/{project_id}/volume-transfers/{id} {id} volume_transfer foreign=404 gone=404 malformed=404
        DELETE /volume/v3/{project_id}/volume-transfers/{id} {id} volume_transfer foreign=404 gone=404 malformed=404
        POST /volume/v3/{project_id}/volume-transfers/{id}/accept {id} volume_transfer foreign=400 gone=404 malformed=404
        POST /volume/v3/{project_id}/volume-transfers transfer.volume_id volume foreign=404 gone=404 malformed=400
        GET /volume/v3/{project_id}/os-volume-transfer/{id} {id} volume_transfer foreign=404 gone=404 malformed=404
        DELETE /volume/v3/{project_id}/os-volume-transfer/{id} {id} volume_transfer foreign=404 gone=404 malformed=404
        POST /volume/v3/{project_id}/os-volume-transfer/{id}/accept {id} volume_transfer foreign=400 gone=404 malformed=404
        POST /volume/v3/{project_id}/os-volume-transfer transfer.volume_id volume foreign=404 gone=404 malformed=400
        GET /volume/v3/{project_id}/messages/{id} {id} volume foreign=404 gone=404 malformed=404
        DELETE /volume/v3/{project_id}/messages/{id} {id} volume foreign=404 gone=404 malformed=404
        GET /volume/v3/{project_id}/qos-specs/{qos_id} {qos_id} volume_type foreign=403 gone=403 malformed=403 seen=403
        PUT /volume/v3/{project_id}/qos-specs/{qos_id} {qos_id} volume_type foreign=403 gone=403 malformed=403 seen=403
        DELETE /volume/v3/{project_id}/qos-specs/{qos_id} {qos_id} volume_type foreign=403 gone=403 malformed=403 seen=403
        PUT /volume/v3/{project_id}/qos-specs/{qos_id}/delete_keys {qos_id} volume_type foreign=403 gone=403 malformed=403 seen=403
        GET /volume/v3/{project_id}/qos-specs/{qos_id}/associations {qos_id} volume_type foreign=403 gone=403 malformed=403 seen=403
        GET /volume/v3/{project_id}/qos-specs/{qos_id}/associate {qos_id} volume_type foreign=403 gone=403 malformed=403 seen=403
        GET /volume/v3/{project_id}/qos-specs/{qos_id}/disassociate {qos_id} volume_type foreign=403 gone=403 malformed=403 seen=403
        GET /volume/v3/{project_id}/qos-specs/{qos_id}/disassociate_all {qos_id} volume_type foreign=403 gone=403 malformed=403 seen=403
        GET /volume/v3/{project_id}/types/{type_id}/encryption {type_id} volume_type foreign=403 gone=403 malformed=403 seen=403
        POST /volume/v3/{project_id}/types/{type_id}/encryption {type_id} volume_type foreign=403 gone=403 malformed=403 seen=403
        GET /volume/v3/{project_id}/types/{type_id}/encryption/{key} {type_id} volume_type foreign=403 gone=403 malformed=403 seen=403
        PUT /volume/v3/{project_id}/types/{type_id}/encryption/{key} {type_id} volume_type foreign=403 gone=403 malformed=403 seen=403
        DELETE /volume/v3/{project_id}/types/{type_id}/encryption/{key} {type_id} volume_type foreign=403 gone=403 malformed=403 seen=403
        GET /volume/v3/{project_id}/default-types/{target_id} {target_id} project foreign=403 gone=403
        PUT /volume/v3/{project_id}/default-types/{target_id} {target_id} project foreign=403 gone=403
        DELETE /volume/v3/{project_id}/default-types/{target_id} {target_id} project foreign=403 gone=403
        """

    /// From 3.67 on the same paths are there without the project.
    static let volumeWithoutProject = "\n" + volume.replacing("/{project_id}", with: "")
}
