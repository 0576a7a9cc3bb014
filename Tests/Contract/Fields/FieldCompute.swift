extension FieldTable {
    /// See ``FieldLine``.
    static let compute = """
        POST /compute/v2.1/flavors flavor.OS-FLV-EXT-DATA:ephemeral shown
        POST /compute/v2.1/flavors flavor.description shown
        POST /compute/v2.1/flavors flavor.disk shown
        POST /compute/v2.1/flavors flavor.id test:ComputeCatalogTests.flavors
        POST /compute/v2.1/flavors flavor.name shown
        POST /compute/v2.1/flavors flavor.os-flavor-access:is_public shown
        POST /compute/v2.1/flavors flavor.ram shown
        POST /compute/v2.1/flavors flavor.rxtx_factor shown
        POST /compute/v2.1/flavors flavor.swap shown
        POST /compute/v2.1/flavors flavor.vcpus shown
        POST /compute/v2.1/flavors/{flavor_id}/action addTenantAccess.tenant test:ComputeCatalogTests.flavors
        POST /compute/v2.1/flavors/{flavor_id}/os-extra_specs extra_specs shown
        POST /compute/v2.1/os-keypairs keypair.name shown
        POST /compute/v2.1/os-keypairs keypair.public_key shown
        POST /compute/v2.1/os-keypairs keypair.type shown
        POST /compute/v2.1/os-keypairs keypair.user_id shown
        POST /compute/v2.1/os-snapshots snapshot.display_description test:ComputeOldCallTests.volumes
        POST /compute/v2.1/os-snapshots snapshot.display_name test:ComputeOldCallTests.volumes
        POST /compute/v2.1/os-snapshots snapshot.force test:ComputeOldCallTests.volumes
        POST /compute/v2.1/os-snapshots snapshot.volume_id test:ComputeOldCallTests.volumes
        POST /compute/v2.1/os-volumes volume.availability_zone test:ComputeOldCallTests.volumes
        POST /compute/v2.1/os-volumes volume.display_description test:ComputeOldCallTests.volumes
        POST /compute/v2.1/os-volumes volume.display_name test:ComputeOldCallTests.volumes
        POST /compute/v2.1/os-volumes volume.metadata test:ComputeOldCallTests.volumes
        POST /compute/v2.1/os-volumes volume.size test:ComputeOldCallTests.volumes
        POST /compute/v2.1/os-volumes volume.snapshot_id test:ComputeOldCallTests.volumes
        POST /compute/v2.1/os-volumes volume.volume_type test:ComputeOldCallTests.volumes
        POST /compute/v2.1/os-volumes volume.name nothing # a member of the call that this one hands on, and none of its own
        POST /compute/v2.1/os-volumes volume.description nothing # a member of the call that this one hands on, and none of its own
        POST /compute/v2.1/os-volumes volume.imageRef nothing # a member of the call that this one hands on, and none of its own
        POST /compute/v2.1/os-volumes volume.image_id nothing # a member of the call that this one hands on, and none of its own
        POST /compute/v2.1/os-volumes volume.consistencygroup_id nothing # a member of the call that this one hands on, and none of its own
        POST /compute/v2.1/os-volumes volume.multiattach nothing # a member of the call that this one hands on, and none of its own
        POST /compute/v2.1/os-volumes volume.source_volid nothing # a member of the call that this one hands on, and none of its own
        PUT /compute/v2.1/os-quota-class-sets/{class} quota_class_set.cores test:ComputeOldCallTests.classes
        PUT /compute/v2.1/os-quota-class-sets/{class} quota_class_set.fixed_ips test:ComputeOldCallTests.classes
        PUT /compute/v2.1/os-quota-class-sets/{class} quota_class_set.floating_ips test:ComputeOldCallTests.classes
        PUT /compute/v2.1/os-quota-class-sets/{class} quota_class_set.injected_file_content_bytes test:ComputeOldCallTests.classes
        PUT /compute/v2.1/os-quota-class-sets/{class} quota_class_set.injected_file_path_bytes test:ComputeOldCallTests.classes
        PUT /compute/v2.1/os-quota-class-sets/{class} quota_class_set.injected_files test:ComputeOldCallTests.classes
        PUT /compute/v2.1/os-quota-class-sets/{class} quota_class_set.instances test:ComputeOldCallTests.classes
        PUT /compute/v2.1/os-quota-class-sets/{class} quota_class_set.key_pairs test:ComputeOldCallTests.classes
        PUT /compute/v2.1/os-quota-class-sets/{class} quota_class_set.metadata_items test:ComputeOldCallTests.classes
        PUT /compute/v2.1/os-quota-class-sets/{class} quota_class_set.ram test:ComputeOldCallTests.classes
        PUT /compute/v2.1/os-quota-class-sets/{class} quota_class_set.security_group_rules test:ComputeOldCallTests.classes
        PUT /compute/v2.1/os-quota-class-sets/{class} quota_class_set.security_groups test:ComputeOldCallTests.classes
        POST /compute/v2.1/servers OS-SCH-HNT:scheduler_hints test:CreateServerBodyTests.nothingForgotten
        POST /compute/v2.1/servers os:scheduler_hints test:CreateServerBodyTests.nothingForgotten
        POST /compute/v2.1/servers server parts
        POST /compute/v2.1/servers server.OS-DCF:diskConfig test:FieldSampleTests.server
        POST /compute/v2.1/servers server.accessIPv4 test:FieldSampleTests.server
        POST /compute/v2.1/servers server.accessIPv6 test:FieldSampleTests.server
        POST /compute/v2.1/servers server.adminPass shown
        POST /compute/v2.1/servers server.availability_zone test:CreateServerBodyTests.destination
        POST /compute/v2.1/servers server.block_device_mapping test:DeviceMappingTests.old
        POST /compute/v2.1/servers server.block_device_mapping_v2 test:DeviceMappingTests.disks
        POST /compute/v2.1/servers server.block_device_mapping_v2.boot_index test:DeviceMappingTests.disks
        POST /compute/v2.1/servers server.block_device_mapping_v2.delete_on_termination test:DeviceMappingTests.disks
        POST /compute/v2.1/servers server.block_device_mapping_v2.destination_type test:DeviceMappingTests.disks
        POST /compute/v2.1/servers server.block_device_mapping_v2.device_name test:DeviceMappingTests.disks
        POST /compute/v2.1/servers server.block_device_mapping_v2.device_type test:DeviceMappingTests.refuses
        POST /compute/v2.1/servers server.block_device_mapping_v2.disk_bus test:DeviceMappingTests.disks
        POST /compute/v2.1/servers server.block_device_mapping_v2.guest_format test:DeviceMappingTests.disks
        POST /compute/v2.1/servers server.block_device_mapping_v2.no_device test:DeviceMappingTests.disks
        POST /compute/v2.1/servers server.block_device_mapping_v2.source_type test:DeviceMappingTests.disks
        POST /compute/v2.1/servers server.block_device_mapping_v2.tag test:DeviceMappingTests.disks
        POST /compute/v2.1/servers server.block_device_mapping_v2.uuid test:DeviceMappingTests.disks
        POST /compute/v2.1/servers server.block_device_mapping_v2.virtual_name test:DeviceMappingTests.refuses
        POST /compute/v2.1/servers server.block_device_mapping_v2.volume_size test:DeviceMappingTests.disks
        POST /compute/v2.1/servers server.block_device_mapping_v2.volume_type test:ComputeBootVolumeTests.refusals
        POST /compute/v2.1/servers server.block_device_mapping_v2.connection_info nothing # Nova reads uuid alone, and overwrites it
        POST /compute/v2.1/servers server.block_device_mapping_v2.image_id nothing # Nova reads uuid alone, and overwrites it
        POST /compute/v2.1/servers server.block_device_mapping_v2.snapshot_id nothing # Nova reads uuid alone, and overwrites it
        POST /compute/v2.1/servers server.block_device_mapping_v2.volume_id nothing # Nova reads uuid alone, and overwrites it
        POST /compute/v2.1/servers server.config_drive test:FieldSampleTests.server
        POST /compute/v2.1/servers server.description test:FieldSampleTests.server
        POST /compute/v2.1/servers server.flavorRef test:ComputeServerTests.life
        POST /compute/v2.1/servers server.host test:CreateServerBodyTests.destination
        POST /compute/v2.1/servers server.hostname test:FieldSampleTests.server
        POST /compute/v2.1/servers server.hypervisor_hostname test:CreateServerBodyTests.destination
        POST /compute/v2.1/servers server.imageRef test:ComputeServerTests.life
        POST /compute/v2.1/servers server.key_name test:FieldSampleTests.server
        POST /compute/v2.1/servers server.max_count test:CreateServerBodyTests.values
        POST /compute/v2.1/servers server.metadata test:FieldSampleTests.server
        POST /compute/v2.1/servers server.min_count test:CreateServerBodyTests.values
        POST /compute/v2.1/servers server.name test:ComputeServerTests.life
        POST /compute/v2.1/servers server.networks parts
        POST /compute/v2.1/servers server.networks.fixed_ip test:CreateServerBodyTests.requests
        POST /compute/v2.1/servers server.networks.port test:CreateServerBodyTests.requests
        POST /compute/v2.1/servers server.networks.tag test:CreateServerBodyTests.nothingForgotten
        POST /compute/v2.1/servers server.networks.uuid test:CreateServerBodyTests.requests
        POST /compute/v2.1/servers server.personality only:[],null
        POST /compute/v2.1/servers server.return_reservation_id test:CreateServerBodyTests.values
        POST /compute/v2.1/servers server.security_groups test:CreateServerBodyTests.groups
        POST /compute/v2.1/servers server.tags test:FieldSampleTests.server
        POST /compute/v2.1/servers server.trusted_image_certificates only:[],null
        POST /compute/v2.1/servers server.user_data test:ComputeServerTests.spec
        POST /compute/v2.1/servers/{server_id}/action length test:ComputeActionTests.console
        POST /compute/v2.1/servers/{server_id}/action lock test:ComputeActionTests.locks
        POST /compute/v2.1/servers/{server_id}/action locked_reason test:ComputeActionTests.locks
        POST /compute/v2.1/servers/{server_id}/action confirmResize test:ComputeResizeTests.confirm
        POST /compute/v2.1/servers/{server_id}/action migrate test:ComputeMigrationTests.migrate
        POST /compute/v2.1/servers/{server_id}/action revertResize test:ComputeResizeTests.revert
        POST /compute/v2.1/servers/{server_id}/action os-getConsoleOutput test:ComputeActionTests.console
        POST /compute/v2.1/servers/{server_id}/action os-getSerialConsole test:ComputeConsoleTests.actions
        POST /compute/v2.1/servers/{server_id}/action os-getVNCConsole test:ComputeConsoleTests.actions
        POST /compute/v2.1/servers/{server_id}/action os-resetState test:ComputeActionTests.reset
        POST /compute/v2.1/servers/{server_id}/action os-start test:ComputeActionTests.power
        POST /compute/v2.1/servers/{server_id}/action os-stop test:ComputeActionTests.power
        POST /compute/v2.1/servers/{server_id}/action pause test:ComputeActionTests.power
        POST /compute/v2.1/servers/{server_id}/action reboot test:ComputeActionTests.reboot
        POST /compute/v2.1/servers/{server_id}/action resume test:ComputeActionTests.power
        POST /compute/v2.1/servers/{server_id}/action state test:ComputeActionTests.reset
        POST /compute/v2.1/servers/{server_id}/action suspend test:ComputeActionTests.power
        POST /compute/v2.1/servers/{server_id}/action type test:ComputeActionTests.reboot
        POST /compute/v2.1/servers/{server_id}/action unlock test:ComputeActionTests.locks
        POST /compute/v2.1/servers/{server_id}/action unpause test:ComputeActionTests.power
        POST /compute/v2.1/servers/{server_id}/metadata metadata shown
        POST /compute/v2.1/servers/{server_id}/remote-consoles remote_console.protocol shown
        POST /compute/v2.1/servers/{server_id}/remote-consoles remote_console.type shown
        PUT /compute/v2.1/os-quota-sets/{project_id} quota_set.cores shown
        PUT /compute/v2.1/os-quota-sets/{project_id} quota_set.fixed_ips shown
        PUT /compute/v2.1/os-quota-sets/{project_id} quota_set.floating_ips shown
        PUT /compute/v2.1/os-quota-sets/{project_id} quota_set.force test:FieldSampleTests.compute
        PUT /compute/v2.1/os-quota-sets/{project_id} quota_set.injected_file_content_bytes shown
        PUT /compute/v2.1/os-quota-sets/{project_id} quota_set.injected_file_path_bytes shown
        PUT /compute/v2.1/os-quota-sets/{project_id} quota_set.injected_files shown
        PUT /compute/v2.1/os-quota-sets/{project_id} quota_set.instances shown
        PUT /compute/v2.1/os-quota-sets/{project_id} quota_set.key_pairs shown
        PUT /compute/v2.1/os-quota-sets/{project_id} quota_set.metadata_items shown
        PUT /compute/v2.1/os-quota-sets/{project_id} quota_set.ram shown
        PUT /compute/v2.1/os-quota-sets/{project_id} quota_set.security_group_rules shown
        PUT /compute/v2.1/os-quota-sets/{project_id} quota_set.security_groups shown
        PUT /compute/v2.1/os-quota-sets/{project_id} quota_set.server_group_members shown
        PUT /compute/v2.1/os-quota-sets/{project_id} quota_set.server_groups shown
        PUT /compute/v2.1/os-services/{id} binary names
        PUT /compute/v2.1/os-services/{id} disabled_reason shown
        PUT /compute/v2.1/os-services/{id} forced_down only:false
        PUT /compute/v2.1/os-services/{id} host names
        PUT /compute/v2.1/os-services/{id} status shown
        PUT /compute/v2.1/servers/{id}/tags tags shown
        PUT /compute/v2.1/servers/{server_id} server.OS-DCF:diskConfig shown
        PUT /compute/v2.1/servers/{server_id} server.accessIPv4 shown
        PUT /compute/v2.1/servers/{server_id} server.accessIPv6 shown
        PUT /compute/v2.1/servers/{server_id} server.description shown
        PUT /compute/v2.1/servers/{server_id} server.hostname shown:OS-EXT-SRV-ATTR:hostname
        PUT /compute/v2.1/servers/{server_id} server.name shown
        PUT /compute/v2.1/servers/{server_id}/metadata metadata shown
        PUT /compute/v2.1/servers/{server_id}/metadata/{key} meta shown
        POST /compute/v2.1/servers/{server_id}/os-volume_attachments volumeAttachment.delete_on_termination shown
        POST /compute/v2.1/servers/{server_id}/os-volume_attachments volumeAttachment.device shown
        POST /compute/v2.1/servers/{server_id}/os-volume_attachments volumeAttachment.tag shown
        POST /compute/v2.1/servers/{server_id}/os-volume_attachments volumeAttachment.volumeId shown
        PUT /compute/v2.1/servers/{server_id}/os-volume_attachments/{volume_id} volumeAttachment.delete_on_termination test:ComputeVolumeTests.termination
        PUT /compute/v2.1/servers/{server_id}/os-volume_attachments/{volume_id} volumeAttachment.device test:ComputeVolumeTests.termination
        PUT /compute/v2.1/servers/{server_id}/os-volume_attachments/{volume_id} volumeAttachment.id test:ComputeVolumeTests.termination
        PUT /compute/v2.1/servers/{server_id}/os-volume_attachments/{volume_id} volumeAttachment.serverId test:ComputeVolumeTests.termination
        PUT /compute/v2.1/servers/{server_id}/os-volume_attachments/{volume_id} volumeAttachment.tag test:ComputeVolumeTests.termination
        PUT /compute/v2.1/servers/{server_id}/os-volume_attachments/{volume_id} volumeAttachment.volumeId names
        """
}
