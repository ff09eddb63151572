using System.Text.Json.Serialization;

namespace Datacake.Dashboard.Tail;

/// <summary>The JSON of the events of a live tail.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TailEvent))]
sealed partial class TailJson : JsonSerializerContext;
