import CoordinatorPlatform
import ProtocolModel

/// What a call says of an address scope; `nil` where it says nothing.
package struct AddressScopeDraft: Sendable {
    package var project: ProjectID
    package var family: IPAddress.Family
    package var name: String?
    package var isShared: Bool?

    package init(project: ProjectID, family: IPAddress.Family, name: String? = nil, isShared: Bool? = nil) {
        self.project = project
        self.family = family
        self.name = name
        self.isShared = isShared
    }
}

extension NetworkService {
    var scopeListing: Listing<AddressScopeRecord> {
        Listing(
            schema: .addressScopes, visible: { $0.visibleAddressScopes },
            complete: { try withTargets($0.map { Listed(record: $0) }, \.id, in: $1) },
            missing: APIError.scopeNotFound, shared: { $0.sharedAddressScopes })
    }

    package func createScope(
        _ draft: AddressScopeDraft, at now: Int64, in transaction: any SQLTransaction
    ) throws -> AddressScopeID {
        try quotas.claim("address_scope", for: draft.project, in: transaction)
        let scope = AddressScopeRecord(
            id: newID(), project: draft.project, standard: Standard(name: draft.name ?? "", createdAt: now),
            family: draft.family, isShared: draft.isShared ?? false)
        try pools.scopes.insert(scope, in: transaction)
        if scope.isShared {
            try share(scope.id, .addressScope, .shared, true, of: scope.project, at: now, in: transaction)
        }
        return scope.id
    }

    package func updateScope(
        _ id: AddressScopeID, _ change: AddressScopeDraft, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard var scope = try pools.scopes.find(id, in: transaction) else { throw APIError.scopeNotFound(id.text) }
        if scope.isShared, change.isShared == false { throw APIError.scopeStaysShared(id) }
        scope.standard.name = change.name ?? scope.standard.name
        if change.isShared == true, !scope.isShared {
            try share(id, .addressScope, .shared, true, of: scope.project, at: now, in: transaction)
        }
        scope.isShared = change.isShared ?? scope.isShared
        try pools.scopes.update(scope, at: now, in: transaction)
    }

    package func deleteScope(_ id: AddressScopeID, in transaction: any SQLTransaction) throws {
        if try !pools.pools(in: id, transaction).isEmpty { throw APIError.scopeInUse(id) }
        try pools.scopes.remove(id, in: transaction)
    }
}
