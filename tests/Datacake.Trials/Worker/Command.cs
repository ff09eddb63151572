using System.Text.Json.Serialization;
using Datacake.EventualConsistency;

namespace Datacake.Trials.Worker;

/// <summary>The commands of a worker.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CommandKind>))]
enum CommandKind
{
    /// <summary>Starts the node and opens its store.</summary>
    Start,

    /// <summary>Waits until the store has joined the cluster.</summary>
    AwaitJoined,

    /// <summary>Leaves the cluster gracefully.</summary>
    Stop,

    /// <summary>Puts a raw document: <see cref="Command.Value"/>, or <see cref="Command.Length"/> random bytes.</summary>
    Put,

    /// <summary>
    /// Puts raw documents of <see cref="Command.Length"/> bytes for <see cref="Command.Seconds"/>, <see cref="Command.Count"/> at a time, with
    /// number keys above <see cref="Command.Number"/>, which are <see cref="Command.Keys"/> if that is set. Returns the number of documents.
    /// </summary>
    PutFor,

    /// <summary>
    /// Puts <see cref="Command.Count"/> raw documents in transactions of 500, with number keys that start at <see cref="Command.Number"/>. If <see cref="Command.Expires"/> is set, they expire between
    /// that instant and <see cref="Command.Seconds"/> later.
    /// </summary>
    Fill,

    Delete,

    /// <summary>Reads a raw document, locally or at a level. Returns its text, or its length in bytes if it is not text.</summary>
    Get,

    /// <summary>Adds tallies with ids from 1 to <see cref="Command.Count"/>.</summary>
    AddTallies,

    /// <summary>Adds <see cref="Command.Count"/> to the counter of a tally.</summary>
    Increment,

    RemoveTally,

    /// <summary>Sets one entry of an album to <see cref="Command.Length"/> random bytes. Adds the album if it does not exist.</summary>
    SetEntry,

    /// <summary>Returns the number of bytes of an album's entries, read locally or at a level, or -1 if the album does not exist.</summary>
    ReadAlbum,

    /// <summary>
    /// Reads the lists <see cref="Command.Lists"/> in one serial transaction, and appends <see cref="Command.Number"/> to the first <see cref="Command.Appends"/> of
    /// them. Returns what it read.
    /// </summary>
    Append,

    /// <summary>
    /// Reads the accounts <see cref="Command.Lists"/> in one serial transaction, and moves <see cref="Command.Number"/> from the first to the second if the first has it. Returns the
    /// balances that it read, and the amount that was moved.
    /// </summary>
    Transfer,

    /// <summary>Returns everything that readers see: raw documents as text, tallies as numbers.</summary>
    Content,

    /// <summary>Returns the number and the fingerprint of a keyspace's documents.</summary>
    Statistics,

    /// <summary>Returns the number of deleted documents that a keyspace still stores.</summary>
    Tombstones,

    /// <summary>Returns the members as the store sees them.</summary>
    Members,

    /// <summary>Returns the memory, handles and threads of the process.</summary>
    Figures,

    /// <summary>Sets how far the wall clock is ahead, to <see cref="Command.Seconds"/>.</summary>
    SetClock,

    Forget,

    Retire,
}

/// <summary>A line from the driver to a worker.</summary>
sealed record Command(CommandKind Kind)
{
    public long Id { get; init; }

    public string Keyspace { get; init; } = "k";

    public string Key { get; init; } = "";

    public string? Value { get; init; }

    public long Number { get; init; }

    public int Count { get; init; } = 1;

    /// <summary>Gets the names of lists, or of accounts.</summary>
    public string[] Lists { get; init; } = [];

    /// <summary>Gets the number of lists to append to.</summary>
    public int Appends { get; init; }

    /// <summary>True to begin a serial transaction with a barrier. Without it, the transaction relies on its conditions alone.</summary>
    public bool HasBarrier { get; init; }

    /// <summary>Gets the number of keys; 0 for a new one each time.</summary>
    public int Keys { get; init; }

    public int Length { get; init; }

    public double Seconds { get; init; }

    /// <summary>Gets the instant at which the first document expires; <see langword="null"/> if none does.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>Gets the level of a write or read. <see langword="null"/> reads locally and writes at None.</summary>
    [JsonConverter(typeof(JsonStringEnumConverter<Consistency>))]
    public Consistency? Level { get; init; }

    public WorkerSettings? Settings { get; init; }
}

/// <summary>A line from a worker to the driver.</summary>
sealed record Answer(long Id)
{
    /// <summary>Gets the name of the exception's class, or <see langword="null"/> if the command succeeded.</summary>
    public string? Error { get; init; }

    public string? Message { get; init; }

    /// <summary>Gets the duration of the command in the worker.</summary>
    public double Milliseconds { get; init; }

    /// <summary>Gets the packed stamp of a write.</summary>
    public ulong Stamp { get; init; }

    /// <summary>Gets the number of seconds by which the stamp leads the real wall clock.</summary>
    public double StampAhead { get; init; }

    public int[] Acknowledged { get; init; } = [];

    public string? Value { get; init; }

    public long Number { get; init; }

    public MemberLine[] Members { get; init; } = [];

    public bool IsJoined { get; init; }

    /// <summary>Gets the number of nodes that vote on serial transactions.</summary>
    public int Voters { get; init; }

    /// <summary>Gets the node that orders serial transactions; 0 if the node knows none.</summary>
    public int Sequencer { get; init; }

    public SortedDictionary<string, string>? Content { get; init; }

    /// <summary>Gets the elements of the lists, or the balances of the accounts, that a serial transaction read.</summary>
    public Dictionary<string, int[]>? Lists { get; init; }

    public ProcessFigures? Figures { get; init; }

    [JsonIgnore]
    public bool IsDone => Error is null;

    /// <summary>Gets the end of a sentence about the command: the error, or nothing if the command succeeded.</summary>
    [JsonIgnore]
    public string Problem => IsDone ? "" : $" ({Error}: {Message})";
}

/// <summary>A member of the cluster, as a store sees it.</summary>
sealed record MemberLine(int NodeId, bool IsUp);

/// <summary>The resources that a process uses.</summary>
sealed record ProcessFigures(double ManagedMegabytes, double ResidentMegabytes, double PeakMegabytes, int Handles, int Threads);
