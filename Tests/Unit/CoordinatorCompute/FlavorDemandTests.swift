import CoordinatorCompute
import Testing

@Suite("what flavors ask beside what placement finds")
struct FlavorDemandTests {
    @Test(
        "what guests are anyway is met, with two processors",
        arguments: [
            ("hw:cpu_policy", "shared"), ("hw:cpu_thread_policy", "prefer"), ("hw:mem_page_size", "any"),
            ("hw:cpu_sockets", "2"), ("hw:cpu_cores", "1"), ("hw:cpu_max_sockets", "8"), ("hw:boot_menu", "false"),
            ("hw:mem_encryption", "no"), ("hw_rng:allowed", "True"), ("hw_video:ram_max_mb", "64"),
            ("os:secure_boot", "disabled"), ("group_policy", "none"), ("vmware:hw_version", "13"), ("colour", "blue"),
            ("example.org:rack", "7"), ("resources:VCPU", "0"), ("trait1:CUSTOM_X", "required"),
            ("name: with blank", "x"), ("aggregate_instance_extra_specs:ssd", "<or> true <or> yes")
        ])
    func met(name: String, value: String) {
        #expect(FlavorDemands.unmet([name: value], vcpus: 2) == [])
    }

    @Test(
        "what nothing would come of leaves no host",
        arguments: [
            ("hw:cpu_policy", "dedicated"), ("hw:cpu_policy", "SHARED"), ("hw:mem_page_size", "2MB"),
            ("hw:numa_nodes", "2"), ("hw:numa_cpus.0", "0-1"), ("hw:cpu_cores", "2"), ("hw:cpu_max_sockets", "1"),
            ("hw:mem_encryption", "true"), ("hw:no_such_thing", "1"), ("hw_rng:allowed", "False"),
            ("hw_rng:rate_bytes", "5"), ("quota:cpu_shares", "512"), ("quota:disk_read_iops_sec", "100"),
            ("quota:vif_limit", "9"), ("quota:whatever", "1"), ("capabilities:hypervisor_type", "s== QEMU"),
            ("pci_passthrough:alias", "gpu:1"), ("accel:device_profile", "fpga"),
            ("os:secure_boot", "required"), ("hw:tpm_version", "2.0"),
            ("group_policy", "isolate"), ("resources:CUSTOM_GPU", "many"), ("trait:CUSTOM_X", "maybe")
        ])
    func unmet(name: String, value: String) {
        #expect(FlavorDemands.unmet([name: value, "colour": "blue"], vcpus: 2) == ["\(name)=\(value)"])
    }

    @Test("an image's promises of protection are not forgotten; what is optional is")
    func images() {
        let asked = FlavorDemands.unmet([:], vcpus: 1, image: ["os_secure_boot": "required", "hw_disk_bus": "scsi"])
        #expect(asked == ["os:secure_boot=required"])
        #expect(FlavorDemands.unmet([:], vcpus: 1, image: ["os_secure_boot": "optional"]) == [])
        #expect(FlavorDemands.unmet([:], vcpus: 1, image: ["kernel_id": "k"]) == ["kernel_id=k"])
        #expect(FlavorDemands.unmet([:], vcpus: 1, image: ["hw_mem_encryption": "True"]) == ["hw:mem_encryption=True"])
    }

    @Test(
        "names and values are refused in Nova's words",
        arguments: [
            ("hw:foo", "1", "Validation failed; extra spec 'hw:foo' does not appear to be a valid extra spec."),
            ("quota:foo", "1", "Validation failed; extra spec 'quota:foo' does not appear to be a valid extra spec."),
            ("hw:cpu_policy", "x", "Validation failed; 'x' is not one of: dedicated, shared, mixed."),
            ("hw:numa_nodes", "x", "Validation failed; 'x' is not a valid integer value."),
            ("hw:numa_nodes", "0", "Validation failed; '0' is less than the min value of '1'."),
            ("hw:mem_encryption", "x", "Validation failed; 'x' is not a valid boolean-like value."),
            ("trait:CUSTOM_X", "maybe", "Validation failed; 'maybe' is not one of: required, forbidden."),
            ("hw:cpu_policy", "dedicated", nil), ("colour", "blue", nil), ("example:x", "y", nil)
        ] as [(String, String, String?)])
    func problems(name: String, value: String, wrong: String?) {
        #expect(FlavorDemands.problem(name, value) == wrong)
    }
}
