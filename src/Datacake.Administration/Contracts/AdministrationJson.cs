using System.Text.Json;
using System.Text.Json.Serialization;
using Datacake.EventualConsistency;

namespace Datacake.Administration.Contracts;

/// <summary>The JSON of all messages. Properties that a reader does not know are skipped, so that neighboring versions understand each other.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UseStringEnumConverter = true)]
[JsonSerializable(typeof(AdministrationRequest))]
[JsonSerializable(typeof(NodeStatus))]
[JsonSerializable(typeof(IReadOnlyList<KeyspaceStatus>))]
[JsonSerializable(typeof(DocumentList))]
[JsonSerializable(typeof(DocumentDetail))]
[JsonSerializable(typeof(DocumentRow))]
[JsonSerializable(typeof(IReadOnlyList<LogLine>))]
[JsonSerializable(typeof(CommandResult))]
[JsonSerializable(typeof(StoreVerification))]
[JsonSerializable(typeof(StoreSummary))]
[JsonSerializable(typeof(BackupVerification))]
[JsonSerializable(typeof(BackupCheck))]
sealed partial class AdministrationJson : JsonSerializerContext;
