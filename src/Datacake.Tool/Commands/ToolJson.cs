using System.Text.Json;
using System.Text.Json.Serialization;
using Datacake.Administration;
using Datacake.Tool.Comparing;
using Datacake.Tool.Diagnosis;
using Datacake.Tool.Transfers;

namespace Datacake.Tool.Commands;

/// <summary>The JSON of values that only the tool has.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UseStringEnumConverter = true)]
[JsonSerializable(typeof(IReadOnlyList<MemberStatus>))]
[JsonSerializable(typeof(IReadOnlyList<StoreStatus>))]
[JsonSerializable(typeof(IReadOnlyList<IndexRow>))]
[JsonSerializable(typeof(ClusterVerification))]
[JsonSerializable(typeof(TransferResult))]
[JsonSerializable(typeof(Check))]
sealed partial class ToolJson : JsonSerializerContext;
