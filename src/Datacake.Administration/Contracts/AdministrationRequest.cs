using System.Text.Json;

namespace Datacake.Administration.Contracts;

/// <summary>The arguments of a call. Each message uses some of them; a later version may add others.</summary>
sealed record AdministrationRequest
{
    /// <summary>Gets the name of the store; null for the node's own store. It is the first one, because the log of what operators do is cut.</summary>
    public string? Store { get; init; }

    public string? Keyspace { get; init; }

    public JsonElement? Key { get; init; }

    public JsonElement? Document { get; init; }

    /// <summary>Gets the key after which a list begins.</summary>
    public JsonElement? After { get; init; }

    public string? Prefix { get; init; }

    public int? Count { get; init; }

    public int? NodeId { get; init; }

    /// <summary>True if a node is to be retired although it is running.</summary>
    public bool IsRunning { get; init; }

    public string? Path { get; init; }

    /// <summary>Gets the id of a store, as in <see cref="StoreSummary"/>.</summary>
    public string? StoreId { get; init; }

    /// <summary>Gets the random identity of a cluster, as in <see cref="StoreSummary"/>.</summary>
    public string? ClusterId { get; init; }

    /// <summary>Gets the number of the newest backups to keep in the folder.</summary>
    public int? Keep { get; init; }

    /// <summary>True if a backup is to be verified.</summary>
    public bool Verify { get; init; }

    /// <summary>True if the status is to have an overview of all open stores, which costs a read of each.</summary>
    public bool ListStores { get; init; }

    public string? Level { get; init; }

    /// <summary>Gets the number of lines before the first one of an import, for messages about a line.</summary>
    public long? LinesBefore { get; init; }

    /// <summary>True if values are to be readable rather than exact.</summary>
    public bool IsPlain { get; init; }
}
