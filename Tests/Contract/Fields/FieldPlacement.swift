extension FieldTable {
    /// See ``FieldLine``.
    static let placement = """
        POST /placement/allocations allocations test:PlacementTests.allocations
        POST /placement/allocations consumer_generation test:PlacementTests.generations
        POST /placement/allocations consumer_type test:PlacementTests.allocations
        POST /placement/allocations generation test:PlacementTests.allocations
        POST /placement/allocations mappings nothing # what candidates said of their groups; Placement itself keeps nothing of it
        POST /placement/allocations project_id test:PlacementTests.allocations
        POST /placement/allocations resources test:PlacementTests.allocations
        POST /placement/allocations user_id test:PlacementTests.allocations
        POST /placement/reshaper allocation_ratio test:PlacementTreeTests.reshaping
        POST /placement/reshaper allocations test:PlacementTests.allocations
        POST /placement/reshaper consumer_generation test:PlacementTests.generations
        POST /placement/reshaper consumer_type test:PlacementTests.allocations
        POST /placement/reshaper generation test:PlacementTests.allocations
        POST /placement/reshaper inventories test:PlacementTreeTests.reshaping
        POST /placement/reshaper mappings nothing # what candidates said of their groups; Placement itself keeps nothing of it
        POST /placement/reshaper max_unit test:PlacementTreeTests.reshaping
        POST /placement/reshaper min_unit test:PlacementTreeTests.reshaping
        POST /placement/reshaper project_id test:PlacementTests.allocations
        POST /placement/reshaper reserved test:PlacementTreeTests.reshaping
        POST /placement/reshaper resource_class test:PlacementTreeTests.reshaping
        POST /placement/reshaper resource_provider_generation test:PlacementTreeTests.reshaping
        POST /placement/reshaper resources test:PlacementTests.allocations
        POST /placement/reshaper step_size test:PlacementTreeTests.reshaping
        POST /placement/reshaper total test:PlacementTreeTests.reshaping
        POST /placement/reshaper user_id test:PlacementTests.allocations
        POST /placement/resource_classes name test:PlacementTests.names
        POST /placement/resource_providers name test:PlacementTreeTests.trees
        POST /placement/resource_providers parent_provider_uuid shown
        POST /placement/resource_providers uuid shown
        PUT /placement/allocations/{consumer} allocations test:PlacementTests.allocations
        PUT /placement/allocations/{consumer} consumer_generation test:PlacementTests.generations
        PUT /placement/allocations/{consumer} consumer_type test:PlacementTests.allocations
        PUT /placement/allocations/{consumer} generation test:PlacementTests.allocations
        PUT /placement/allocations/{consumer} mappings nothing # what candidates said of their groups; Placement itself keeps nothing of it
        PUT /placement/allocations/{consumer} project_id test:PlacementTests.allocations
        PUT /placement/allocations/{consumer} resources test:PlacementTests.allocations
        PUT /placement/allocations/{consumer} user_id test:PlacementTests.allocations
        PUT /placement/resource_classes/{name} name shown
        PUT /placement/resource_providers/{uuid} name shown
        PUT /placement/resource_providers/{uuid} parent_provider_uuid shown
        PUT /placement/resource_providers/{uuid}/aggregates aggregates shown
        PUT /placement/resource_providers/{uuid}/aggregates resource_provider_generation test:PlacementTests.generations
        PUT /placement/resource_providers/{uuid}/inventories allocation_ratio shown
        PUT /placement/resource_providers/{uuid}/inventories inventories shown
        PUT /placement/resource_providers/{uuid}/inventories max_unit shown
        PUT /placement/resource_providers/{uuid}/inventories min_unit shown
        PUT /placement/resource_providers/{uuid}/inventories reserved shown
        PUT /placement/resource_providers/{uuid}/inventories resource_class names
        PUT /placement/resource_providers/{uuid}/inventories resource_provider_generation test:PlacementTests.generations
        PUT /placement/resource_providers/{uuid}/inventories step_size shown
        PUT /placement/resource_providers/{uuid}/inventories total shown
        PUT /placement/resource_providers/{uuid}/inventories/{class} allocation_ratio shown
        PUT /placement/resource_providers/{uuid}/inventories/{class} max_unit shown
        PUT /placement/resource_providers/{uuid}/inventories/{class} min_unit shown
        PUT /placement/resource_providers/{uuid}/inventories/{class} reserved shown
        PUT /placement/resource_providers/{uuid}/inventories/{class} resource_class names
        PUT /placement/resource_providers/{uuid}/inventories/{class} resource_provider_generation test:PlacementTests.generations
        PUT /placement/resource_providers/{uuid}/inventories/{class} step_size shown
        PUT /placement/resource_providers/{uuid}/inventories/{class} total shown
        PUT /placement/resource_providers/{uuid}/traits resource_provider_generation test:PlacementTests.generations
        PUT /placement/resource_providers/{uuid}/traits traits shown
        """
}
