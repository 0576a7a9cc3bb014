import CoordinatorPlacement
import CoordinatorPlatform
import Testing

/// What is refused, in which version, with which words.
struct CandidateQueryTests {
    static let id = "00000000-0000-4000-8000-000000000001"

    struct Case: Sendable, CustomTestStringConvertible {
        var query: String
        var minor = 39
        /// How the message begins; `nil` where nothing is wrong.
        var message: String?
        var code = ""

        var testDescription: String { "1.\(minor) \(query)" }
    }

    private static let prefix = "Invalid query string parameters: "

    static let versions: [Case] = [
        Case(query: "", minor: 10, message: "\(prefix)'resources' is a required property"),
        Case(query: "resources=VCPU:1", minor: 10, message: nil),
        Case(
            query: "resources=VCPU:1&limit=1", minor: 15,
            message: "\(prefix)Additional properties are not allowed ('limit' was unexpected)"),
        Case(query: "resources=VCPU:1&limit=1", minor: 16, message: nil),
        Case(query: "resources=VCPU:1&limit=0", minor: 16, message: "\(prefix)'0' does not match '^[1-9][0-9]*$'"),
        Case(
            query: "resources=VCPU:1&required=A&limit=1", minor: 16,
            message: "\(prefix)Additional properties are not allowed ('required' was unexpected)"),
        Case(query: "resources=VCPU:1&required=A", minor: 17, message: nil),
        Case(
            query: "resources=VCPU:1&required=!A", minor: 21,
            message: "\(prefix)Expected 'required' parameter value of the form: HW_CPU_X86_VMX,CUSTOM_MAGIC. Got: !A"),
        Case(query: "resources=VCPU:1&required=!A", minor: 22, message: nil),
        Case(query: "resources=VCPU:1&member_of=\(id)", minor: 21, message: nil),
        Case(
            query: "resources=VCPU:1&member_of=\(id)&member_of=\(id)", minor: 23,
            message: "Multiple member_of parameters are not supported"),
        Case(query: "resources=VCPU:1&member_of=\(id)&member_of=\(id)", minor: 24, message: nil),
        Case(
            query: "resources=VCPU:1&member_of=!\(id)", minor: 31,
            message: "Forbidden member_of parameters are not supported in the specified microversion"),
        Case(query: "resources=VCPU:1&member_of=!\(id)", minor: 32, message: nil),
        Case(
            query: "resources1=VCPU:1", minor: 24,
            message: "\(prefix)Additional properties are not allowed ('resources1' was unexpected)"),
        Case(query: "resources1=VCPU:1", minor: 25, message: nil),
        Case(query: "resources01=VCPU:1", minor: 25, message: "\(prefix)'resources01' does not match any"),
        Case(query: "resources_A=VCPU:1", minor: 32, message: "\(prefix)'resources_A' does not match any"),
        Case(query: "resources_A=VCPU:1", minor: 33, message: nil),
        Case(query: "resources.=VCPU:1", minor: 33, message: "\(prefix)'resources.' does not match any"),
        Case(query: "resources=VCPU:1&in_tree=\(id)", minor: 30, message: "\(prefix)'in_tree' does not match any"),
        Case(query: "resources=VCPU:1&in_tree=\(id)", minor: 31, message: nil),
        Case(query: "resources=VCPU:1&root_required=A", minor: 34, message: "\(prefix)'root_required' does not"),
        Case(query: "resources=VCPU:1&root_required=A,!B", minor: 35, message: nil),
        Case(query: "resources1=VCPU:1&same_subtree=1", minor: 35, message: "\(prefix)'same_subtree' does not"),
        Case(query: "resources1=VCPU:1&same_subtree=1", minor: 36, message: nil),
        Case(
            query: "resources=VCPU:1&required=in:A,B", minor: 38,
            message: "\(prefix)The format 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC' only supported since microversion 1.39."),
        Case(query: "resources=VCPU:1&required=in:A,B&required=C", minor: 39, message: nil)
    ]

    static let forms: [Case] = [
        Case(query: "resources=", message: "Badly formed resources parameter. Expected resources query string"),
        Case(query: "resources=VCPU", message: "Badly formed resources parameter."),
        Case(query: "resources=VCPU:1:2", message: "Badly formed resources parameter."),
        Case(query: "resources=VCPU:x", message: "Requested resource VCPU expected positive integer amount. Got: x."),
        Case(query: "resources=VCPU:0", message: "Requested resource VCPU requires amount >= 1. Got: 0."),
        Case(query: "resources=VCPU:1&required=A,,B", message: "\(prefix)Expected 'required' parameter value"),
        Case(query: "resources=VCPU:1&required=!", message: "\(prefix)Expected 'required' parameter value"),
        Case(
            query: "resources=VCPU:1&required=in:A,!B", message: "\(prefix)The format 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC'"),
        Case(query: "resources=VCPU:1&required=in:", message: "\(prefix)Expected 'required' parameter value"),
        Case(query: "resources=VCPU:1&member_of=x", message: "\(prefix)Expected 'member_of' parameter to contain"),
        Case(query: "resources=VCPU:1&member_of=\(id),\(id)", message: "Multiple values for 'member_of' must be"),
        Case(query: "resources=VCPU:1&in_tree=x", message: "\(prefix)Expected 'in_tree' parameter to be"),
        Case(
            query: "resources=VCPU:1&group_policy=some",
            message: "\(prefix)'some' is not one of ['none', 'isolate']")
    ]

    static let groups: [Case] = [
        Case(query: "resources1=VCPU:1&resources2=VCPU:1", message: "The \"group_policy\" parameter is required"),
        Case(query: "resources=VCPU:1&resources2=VCPU:1", message: nil),
        Case(query: "required1=A", minor: 35, message: "All traits parameters must be associated with resources."),
        Case(query: "member_of1=\(id)", minor: 35, message: "All member_of parameters must be associated"),
        Case(query: "resources=VCPU:1&in_tree1=\(id)", minor: 35, message: "All request groups must specify"),
        Case(query: "limit=3", minor: 35, message: "At least one request group (`resources` or `resources{$S}`)"),
        Case(
            query: "required1=A&same_subtree=1", message: "There must be at least one resources or resources[$S]",
            code: "placement.query.missing_value"),
        Case(
            query: "resources=VCPU:1&required1=A",
            message:
                "Resourceless suffixed group request should be specified in `same_subtree` query param: bad group(s) "
                + "- ['1'].", code: "placement.query.bad_value"),
        Case(
            query: "resources1=VCPU:1&same_subtree=1,2",
            message: "Real suffixes should be specified in `same_subtree`: ['2'] not found in ['1'].",
            code: "placement.query.bad_value"),
        Case(
            query: "resources1=VCPU:1&same_subtree=1,", message: "Empty string (unsuffixed group) can not be",
            code: "placement.query.bad_value"),
        Case(
            query: "resources=VCPU:1&required=A,!A",
            message: "Conflicting required and forbidden traits found in the following traits keys: required: (A)"),
        Case(query: "resources=VCPU:1&required=in:A,B&required=!A", message: nil),
        Case(
            query: "resources=VCPU:1&root_required=A,!A",
            message: "Conflicting required and forbidden traits found in root_required: A",
            code: "placement.query.bad_value"),
        Case(
            query: "resources=VCPU:1&root_required=A&root_required=B",
            message: "Query parameter 'root_required' may be specified only once.",
            code: "placement.query.duplicate_key")
    ]

    @Test("queries", arguments: versions + forms + groups)
    func queries(_ one: Case) throws {
        let call = try Wood.call(one.query, minor: one.minor)
        guard let message = one.message else {
            _ = try CandidateQuery.read(call)
            return
        }
        let error = try #require(throws: APIError.self) { try CandidateQuery.read(call) }
        #expect(error.status == 400)
        #expect(error.message.hasPrefix(message), "\(error.message)")
        #expect(error.type == one.code)
    }

    @Test("groups stand in the order of their mention, the last word on resources counts")
    func order() throws {
        let request = try CandidateQuery.read(
            try Wood.call(
                "required_B=X&resources_A=VCPU:1&resources_B=VCPU:2&resources_B=VCPU:3&group_policy=isolate&limit=5"))
        #expect(request.groups.map(\.suffix) == ["_B", "_A"])
        #expect(request.groups.first?.resources == ["VCPU": 3])
        #expect(request.groups.first?.traits == NameFilter(required: [["X"]]))
        #expect(request.isIsolated && request.limit == 5 && request.isNested)
    }
}
