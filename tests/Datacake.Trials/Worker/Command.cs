using System.Text.Json.Serialization;
using Datacake.EventualConsistency;

namespace Datacake.Trials.Worker;

/// <summary>The things that a worker can be told to do.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CommandKind>))]
enum CommandKind
{
    /// <summary>Starts the node and opens its store.</summary>
    Start,

    /// <summary>Waits until the store has joined the cluster.</summary>
    AwaitJoined,

    /// <summary>Leaves the cluster in order.</summary>
    Stop,

    /// <summary>Puts a raw document: <see cref="Command.Value"/>, or <see cref="Command.Length"/> random bytes.</summary>
    Put,

    /// <summary>
    /// Puts raw documents of <see cref="Command.Length"/> bytes for <see cref="Command.Seconds"/>, <see cref="Command.Count"/> at a time, with number keys above
    /// <see cref="Command.Number"/>; answers how many.
    /// </summary>
    PutFor,

    /// <summary>Puts <see cref="Command.Count"/> raw documents in transactions of 500, with number keys from <see cref="Command.Number"/> on.</summary>
    Fill,

    Delete,

    /// <summary>Reads a raw document, locally or at a level; answers its text, or the number of its bytes if it has no text.</summary>
    Get,

    /// <summary>Adds tallies with ids from 1 to <see cref="Command.Count"/>.</summary>
    AddTallies,

    /// <summary>Adds <see cref="Command.Count"/> to the counter of a tally.</summary>
    Increment,

    RemoveTally,

    /// <summary>Sets one entry of an album to <see cref="Command.Length"/> random bytes, and adds the album if it is missing.</summary>
    SetEntry,

    /// <summary>Answers the number of bytes of an album's entries, read locally or at a level; -1 if it is missing.</summary>
    ReadAlbum,

    /// <summary>Answers all that readers see: raw documents as text, tallies as numbers.</summary>
    Content,

    /// <summary>Answers the number and the fingerprint of a keyspace's documents.</summary>
    Statistics,

    /// <summary>Answers the number of deleted documents that a keyspace still stores.</summary>
    Tombstones,

    /// <summary>Answers the members, as the store sees them.</summary>
    Members,

    /// <summary>Answers memory, handles and threads of the process.</summary>
    Figures,

    /// <summary>Sets the wall clock <see cref="Command.Seconds"/> ahead.</summary>
    SetClock,

    Forget,

    Retire,
}

/// <summary>A line of the driver to a worker.</summary>
sealed record Command(CommandKind Kind)
{
    public long Id { get; init; }

    public string Keyspace { get; init; } = "k";

    public string Key { get; init; } = "";

    public string? Value { get; init; }

    public long Number { get; init; }

    public int Count { get; init; } = 1;

    public int Length { get; init; }

    public double Seconds { get; init; }

    /// <summary>Gets the level of a write or read; <see langword="null"/> reads locally, and writes at None.</summary>
    [JsonConverter(typeof(JsonStringEnumConverter<Consistency>))]
    public Consistency? Level { get; init; }

    public WorkerSettings? Settings { get; init; }
}

/// <summary>A line of a worker to the driver.</summary>
sealed record Answer(long Id)
{
    /// <summary>Gets the name of the exception's class; <see langword="null"/> if the command was done.</summary>
    public string? Error { get; init; }

    public string? Message { get; init; }

    /// <summary>Gets how long the command took in the worker.</summary>
    public double Milliseconds { get; init; }

    /// <summary>Gets the packed stamp of a write.</summary>
    public ulong Stamp { get; init; }

    /// <summary>Gets the seconds that the stamp is ahead of the real wall clock.</summary>
    public double StampAhead { get; init; }

    public int[] Acknowledged { get; init; } = [];

    public string? Value { get; init; }

    public long Number { get; init; }

    public MemberLine[] Members { get; init; } = [];

    public bool IsJoined { get; init; }

    public SortedDictionary<string, string>? Content { get; init; }

    public ProcessFigures? Figures { get; init; }

    [JsonIgnore]
    public bool IsDone => Error is null;

    /// <summary>Gets the end of a sentence about the command: nothing if it was done, or the error.</summary>
    [JsonIgnore]
    public string Problem => IsDone ? "" : $" ({Error}: {Message})";
}

/// <summary>A member of the cluster, as a store sees it.</summary>
sealed record MemberLine(int NodeId, bool IsUp);

/// <summary>The use that a process makes of the machine.</summary>
sealed record ProcessFigures(double ManagedMegabytes, double ResidentMegabytes, double PeakMegabytes, int Handles, int Threads);
