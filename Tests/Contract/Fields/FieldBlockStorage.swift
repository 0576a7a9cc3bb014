extension FieldTable {
    /// See ``FieldLine``.
    static let blockStorage = """
        POST /volume/v3/{project_id}/snapshots/{id}/action progress test:VolumeTests.snapshotStatus
        POST /volume/v3/{project_id}/volumes/{id}/action os-volume_upload_image.container_format only:["bare"]
        POST /volume/v3/{project_id}/volumes/{id}/action os-volume_upload_image.disk_format shown
        POST /volume/v3/{project_id}/volumes/{id}/action os-volume_upload_image.force test:VolumeUploadTests.inUse
        POST /volume/v3/{project_id}/volumes/{id}/action os-volume_upload_image.image_name shown
        POST /volume/v3/{project_id}/volumes/{id}/action os-volume_upload_image.protected shown
        POST /volume/v3/{project_id}/volumes/{id}/action os-volume_upload_image.visibility shown
        """
}
