extension TwoTenantTable {
    /// See ``TwoTenantLine``.
    static let image = """
        GET /image/v2/images ?owner project foreign=200 gone=200
        GET /image/v2/images ?id image foreign=200 gone=200
        GET /image/v2/images/{image_id} {image_id} image foreign=404 gone=404 malformed=404 seen=200
        PATCH /image/v2/images/{image_id} {image_id} image foreign=404 gone=404 malformed=404 seen=403
        DELETE /image/v2/images/{image_id} {image_id} image foreign=404 gone=404 malformed=404 seen=403
        POST /image/v2/images/{image_id}/actions/deactivate {image_id} image foreign=404 gone=404 malformed=404 seen=403
        POST /image/v2/images/{image_id}/actions/reactivate {image_id} image foreign=404 gone=404 malformed=404 seen=403
        GET /image/v2/images/{image_id}/file {image_id} image foreign=404 gone=404 malformed=404 seen=200
        PUT /image/v2/images/{image_id}/file {image_id} image foreign=404 gone=404 malformed=404 seen=403
        POST /image/v2/images/{image_id}/import {image_id} image foreign=404 gone=404 malformed=404 seen=409
        GET /image/v2/images/{image_id}/members {image_id} image foreign=404 gone=404 malformed=404 seen=403
        POST /image/v2/images/{image_id}/members {image_id} image foreign=404 gone=404 malformed=404 seen=403
        GET /image/v2/images/{image_id}/members/{member_id} {image_id} image foreign=404 gone=404 malformed=404 seen=404
        GET /image/v2/images/{image_id}/members/{member_id} {member_id} project foreign=404 gone=404
        PUT /image/v2/images/{image_id}/members/{member_id} {image_id} image foreign=404 gone=404 malformed=404 seen=403
        PUT /image/v2/images/{image_id}/members/{member_id} {member_id} project foreign=404 gone=404
        DELETE /image/v2/images/{image_id}/members/{member_id} {image_id} image foreign=404 gone=404 malformed=404 seen=403
        DELETE /image/v2/images/{image_id}/members/{member_id} {member_id} project foreign=404 gone=404
        GET /image/v2/images/{image_id}/stage {image_id} image foreign=404 gone=404 malformed=404 seen=403
        PUT /image/v2/images/{image_id}/stage {image_id} image foreign=404 gone=404 malformed=404 seen=403
        PUT /image/v2/images/{image_id}/tags/{tag} {image_id} image foreign=404 gone=404 malformed=404 seen=403
        DELETE /image/v2/images/{image_id}/tags/{tag} {image_id} image foreign=404 gone=404 malformed=404 seen=403
        GET /image/v2/images/{image_id}/tasks {image_id} image foreign=404 gone=404 malformed=404 seen=200
        DELETE /image/v2/stores/{store_id}/{image_id} {image_id} image foreign=404 gone=404 malformed=404 seen=403
        DELETE /image/v2/stores/{store_id}/{image_id} {store_id} image foreign=403 gone=403 malformed=403
        GET /image/v2/tasks/{task_id} {task_id} image foreign=403 gone=403 malformed=403
        DELETE /image/v2/tasks/{task_id} {task_id} image foreign=403 gone=403 malformed=403
        POST /image/v2/images id image foreign=409 gone=409 malformed=400 seen=409
        POST /image/v2/images owner project foreign=403 gone=403
        POST /image/v2/images/{image_id}/members member project foreign=200 gone=200
        POST /image/v2/images instance_uuid - # a note: compute boots no image that names a kernel
        POST /image/v2/images kernel_id - # a note: compute boots no image that names a kernel
        POST /image/v2/images ramdisk_id - # a note: compute boots no image that names a kernel
        PATCH /image/v2/images/{image_id} id - # never changes
        PATCH /image/v2/images/{image_id} instance_uuid - # a note: compute boots no image that names a kernel
        PATCH /image/v2/images/{image_id} kernel_id - # a note: compute boots no image that names a kernel
        PATCH /image/v2/images/{image_id} ramdisk_id - # a note: compute boots no image that names a kernel
        PATCH /image/v2/images/{image_id} owner - # administrators alone change it
        PUT /image/v2/images/{image_id}/tags/{tag} id - # there is no body: the schema judges the tag alone
        PUT /image/v2/images/{image_id}/tags/{tag} instance_uuid - # there is no body: the schema judges the tag alone
        PUT /image/v2/images/{image_id}/tags/{tag} kernel_id - # there is no body: the schema judges the tag alone
        PUT /image/v2/images/{image_id}/tags/{tag} ramdisk_id - # there is no body: the schema judges the tag alone
        PUT /image/v2/images/{image_id}/tags/{tag} owner - # there is no body: the schema judges the tag alone
        """
}
