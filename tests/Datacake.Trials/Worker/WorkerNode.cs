using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Datacake.Crdt;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Sequencing;
using Datacake.Node;
using Datacake.Rpc;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.Trials.Worker;

/// <summary>The node of a worker process, used only through its public API.</summary>
sealed class WorkerNode
{
    const int FillBatch = 500;

    readonly ShiftedTime _time = new();
    DatacakeNode? _node;
    ReplicatedStore? _store;
    volatile bool _hasLists;
    volatile bool _hasAccounts;

    DatacakeNode Node => _node ?? throw new InvalidOperationException("The node is not started.");

    ReplicatedStore Store => _store ?? throw new InvalidOperationException("The store is not open.");

    public async Task<Answer> ExecuteAsync(Command command) => command.Kind switch
    {
        CommandKind.Start => await StartAsync(command.Settings ?? throw new ArgumentException("The command Start needs settings.")),
        CommandKind.AwaitJoined => await AwaitJoinedAsync(),
        CommandKind.Stop => await StopAsync(),
        CommandKind.Put => Written(await Store.Keyspace(command.Keyspace).PutAsync(KeyOf(command), ValueOf(command), LevelOf(command))),
        CommandKind.PutFor => await PutForAsync(command),
        CommandKind.Fill => await FillAsync(command),
        CommandKind.Delete => Written(await Store.Keyspace(command.Keyspace).DeleteAsync(KeyOf(command), LevelOf(command))),
        CommandKind.Get => await GetAsync(command),
        CommandKind.AddTallies => await AddTalliesAsync(command),
        CommandKind.Increment => await IncrementAsync(command),
        CommandKind.RemoveTally => await RemoveTallyAsync(command),
        CommandKind.SetEntry => await SetEntryAsync(command),
        CommandKind.ReadAlbum => await ReadAlbumAsync(command),
        CommandKind.Append => await AppendAsync(command),
        CommandKind.Transfer => await TransferAsync(command),
        CommandKind.Content => await ReadContentAsync(command),
        CommandKind.Statistics => await ReadStatisticsAsync(command),
        CommandKind.Tombstones => await CountTombstonesAsync(command),
        CommandKind.Members => Members(),
        CommandKind.Figures => new Answer(0) { Figures = Measure() },
        CommandKind.SetClock => SetClock(command),
        CommandKind.Forget => await DoneAsync(Store.ForgetAsync((byte)command.Number)),
        CommandKind.Retire => await DoneAsync(Store.RetireAsync((byte)command.Number)),
        _ => throw new ArgumentException($"The command {command.Kind} does not exist."),
    };

    static DocumentKey KeyOf(Command command) => command.Key.Length > 0 ? DocumentKey.Of(command.Key) : DocumentKey.Of(command.Number);

    static byte[] ValueOf(Command command) =>
        command.Value is { } text ? Encoding.UTF8.GetBytes(text) : RandomNumberGenerator.GetBytes(command.Length);

    static Consistency LevelOf(Command command) => command.Level ?? Consistency.None;

    static async Task<Answer> DoneAsync(ValueTask task)
    {
        await task;
        return new Answer(0);
    }

    static Answer Written(CommitResult result) => Written(result.Stamp, result.Acknowledged);

    static Answer Written(HlcTimestamp stamp, NodeSet acknowledged) => new(0)
    {
        Stamp = stamp.Packed,
        StampAhead = stamp.IsNone ? 0 : (stamp.Time - DateTimeOffset.UtcNow).TotalSeconds,
        Acknowledged = [.. Enumerable.Range(0, 256).Where(id => acknowledged.Contains((byte)id))],
    };

    static ProcessFigures Measure()
    {
        const double Megabyte = 1024 * 1024;
        using var process = Process.GetCurrentProcess();
        double managed = GC.GetTotalMemory(forceFullCollection: true) / Megabyte;
        return new ProcessFigures(
            managed, process.WorkingSet64 / Megabyte, process.PeakWorkingSet64 / Megabyte, Directory.GetFiles("/proc/self/fd").Length, process.Threads.Count);
    }

    async Task<Answer> StartAsync(WorkerSettings settings)
    {
        _time.Offset = TimeSpan.FromSeconds(settings.OffsetSeconds);
        _node = await DatacakeNode.StartAsync(options => Configure(options, settings));
        _store = await _node.OpenStoreAsync();
        return new Answer(0) { Value = _node.Address, IsJoined = _store.JoinStatus.IsJoined };
    }

    void Configure(DatacakeNodeOptions options, WorkerSettings settings)
    {
        options.WithNodeId(settings.NodeId).AllowAnyone().ListenOn(settings.Listen).WithSeeds(settings.Seeds).WithTimeProvider(_time)
            .WithLoggerFactory(new StandardErrorLog()).UseSqlite(settings.File).WithStore(store =>
            {
                store.ReportInterval = TimeSpan.FromMilliseconds(settings.ReportMilliseconds);
                if (settings.MaxDocumentLength > 0)
                    store.MaxDocumentLength = settings.MaxDocumentLength;
                store.TakeOverNodeId = settings.TakesOver;
                if (settings.IsBuffered)
                    store.Durability = Durability.Buffered;
            });
        if (settings.Secret is { } secret)
            options.WithClusterSecret(secret);
        if (settings.IsGossipUdp)
            options.WithGossipTransport(GossipTransport.Udp);
        if (settings.Advertise is { } address)
            options.AdvertiseAs(address);
        if (settings.IsGossipLocal)
            options.WithGossip(gossip => gossip.UseLocal());
        if (settings is { CertificateFile: { } certificate, AuthorityFile: { } authority })
        {
            options.WithTls(new RpcTls
            {
                Certificate = X509CertificateLoader.LoadPkcs12FromFile(certificate, password: null),
                TrustedIssuers = [X509CertificateLoader.LoadCertificateFromFile(authority)],
                RequireClientCertificate = true,
            });
        }
    }

    async Task<Answer> AppendAsync(Command command)
    {
        const string Keyspace = "lists";
        if (!_hasLists)
            await Store.DeclareAsync(new KeyspaceDeclaration(Keyspace, MergePolicy.Serial, []));
        _hasLists = true;
        var lists = new Dictionary<string, int[]>();
        var conditions = new List<SerialCondition>();
        var effects = new Transaction();
        using (var snapshot = command.HasBarrier ? await Store.OpenSerialSnapshotAsync(CancellationToken.None) : await Store.OpenSnapshotAsync())
        {
            foreach (string list in command.Lists)
            {
                var document = await snapshot.GetAsync(Keyspace, DocumentKey.Of(list));
                int[] elements = document?.Value is { } value ? [.. MemoryMarshal.Cast<byte, int>(value.Span)] : [];
                conditions.Add(new SerialCondition(Keyspace, DocumentKey.Of(list), document is null ? null : ContentHash.Of(document)));
                if (lists.Count < command.Appends)
                    effects.Put(Keyspace, DocumentKey.Of(list), DocumentContent.OfRaw(MemoryMarshal.AsBytes<int>((int[])[.. elements, (int)command.Number])));
                lists.Add(list, elements);
            }
        }
        // A snapshot of the sequence is serializable by itself. Otherwise, the sequencer checks what was read.
        if (effects.Count > 0 || !command.HasBarrier)
            await Store.CommitSerialAsync(new SerialTransaction(effects, conditions), CancellationToken.None);
        return new Answer(0) { Lists = lists };
    }

    async Task<Answer> TransferAsync(Command command)
    {
        const string Keyspace = "accounts";
        if (!_hasAccounts)
            await Store.DeclareAsync(new KeyspaceDeclaration(Keyspace, MergePolicy.Serial, []));
        _hasAccounts = true;
        var balances = new Dictionary<string, int[]>();
        var conditions = new List<SerialCondition>();
        var effects = new Transaction();
        using (var snapshot = command.HasBarrier ? await Store.OpenSerialSnapshotAsync(CancellationToken.None) : await Store.OpenSnapshotAsync())
        {
            foreach (string account in command.Lists)
            {
                var document = await snapshot.GetAsync(Keyspace, DocumentKey.Of(account));
                balances.Add(account, [document?.Value is { } value ? MemoryMarshal.Read<int>(value.Span) : command.Count]);
                conditions.Add(new SerialCondition(Keyspace, DocumentKey.Of(account), document is null ? null : ContentHash.Of(document)));
            }
        }
        int amount = command.Number > 0 && balances[command.Lists[0]][0] >= command.Number ? (int)command.Number : 0;
        if (amount > 0)
        {
            Put(command.Lists[0], -amount);
            Put(command.Lists[1], amount);
        }
        if (amount > 0 || !command.HasBarrier)
            await Store.CommitSerialAsync(new SerialTransaction(effects, conditions), CancellationToken.None);
        return new Answer(0) { Lists = balances, Number = amount };

        void Put(string account, int change) =>
            effects.Put(Keyspace, DocumentKey.Of(account), DocumentContent.OfRaw(BitConverter.GetBytes(balances[account][0] + change)));
    }

    async Task<Answer> AwaitJoinedAsync()
    {
        await Store.Joined;
        return new Answer(0) { IsJoined = true };
    }

    async Task<Answer> StopAsync()
    {
        await Node.DisposeAsync();
        return new Answer(0);
    }

    async Task<Answer> PutForAsync(Command command)
    {
        var keyspace = Store.Keyspace(command.Keyspace);
        var value = RandomNumberGenerator.GetBytes(command.Length);
        long start = TimeProvider.System.GetTimestamp(), last = command.Number, done = 0, failed = 0;
        await Task.WhenAll(Enumerable.Range(0, command.Count).Select(_ => Task.Run(async () =>
        {
            while (TimeProvider.System.GetElapsedTime(start).TotalSeconds < command.Seconds)
            {
                try
                {
                    long key = Interlocked.Increment(ref last);
                    await keyspace.PutAsync(command.Keys > 0 ? key % command.Keys : key, value, LevelOf(command));
                    Interlocked.Increment(ref done);
                }
                catch (Exception e) when (e is ConsistencyException or NotEnoughNodesException)
                {
                    Interlocked.Increment(ref failed);
                }
            }
        })));
        return new Answer(0) { Number = done, Value = failed.ToString(CultureInfo.InvariantCulture) };
    }

    async Task<Answer> FillAsync(Command command)
    {
        var last = new Answer(0);
        for (int done = 0; done < command.Count; done += FillBatch)
        {
            var transaction = new Transaction();
            for (int i = done; i < Math.Min(done + FillBatch, command.Count); i++)
            {
                var (key, content) = (DocumentKey.Of(command.Number + i), DocumentContent.OfRaw(RandomNumberGenerator.GetBytes(command.Length)));
                if (command.Expires is { } expires)
                    transaction.PutExpiring(command.Keyspace, key, content, expires.AddSeconds(command.Seconds * i / command.Count));
                else
                    transaction.Put(command.Keyspace, key, content);
            }
            last = Written(await Store.CommitAsync(transaction, LevelOf(command)));
        }
        return last;
    }

    async Task<Answer> GetAsync(Command command)
    {
        var keyspace = Store.Keyspace(command.Keyspace);
        var document = command.Level is { } level ? await keyspace.GetAsync(KeyOf(command), level) : await keyspace.GetAsync(KeyOf(command));
        return document?.Value is { } value
            ? new Answer(0) { Value = value.Length < 1_000 ? Encoding.UTF8.GetString(value.Span) : "", Number = value.Length }
            : new Answer(0);
    }

    async Task<Answer> AddTalliesAsync(Command command)
    {
        await using var context = new TrialContext(Node);
        for (int id = 1; id <= command.Count; id++)
            context.Tallies.Add(new Tally { Id = id, N = command.Number });
        var result = await context.SaveChangesAsync(LevelOf(command));
        return Written(result.Stamp, result.Acknowledged);
    }

    async Task<Answer> IncrementAsync(Command command)
    {
        await using var context = new TrialContext(Node);
        long id = command.Number;
        int by = command.Count;
        var result = await context.Tallies.Where(tally => tally.Id == id)
            .ExecuteUpdateAsync(tally => tally.SetProperty(t => t.N, t => t.N + by), LevelOf(command));
        return Written(result.Stamp, result.Acknowledged) with { Number = result.Count };
    }

    async Task<Answer> RemoveTallyAsync(Command command)
    {
        await using var context = new TrialContext(Node);
        context.Tallies.Remove(new Tally { Id = command.Number });
        var result = await context.SaveChangesAsync(LevelOf(command));
        return Written(result.Stamp, result.Acknowledged);
    }

    async Task<Answer> SetEntryAsync(Command command)
    {
        await using var context = new TrialContext(Node);
        var album = await context.Albums.FindAsync(command.Number);
        if (album is null)
            context.Albums.Add(album = new Album { Id = command.Number });
        album.Entries[command.Key] = RandomNumberGenerator.GetBytes(command.Length);
        var result = await context.SaveChangesAsync(LevelOf(command));
        return Written(result.Stamp, result.Acknowledged);
    }

    async Task<Answer> ReadAlbumAsync(Command command)
    {
        await using var context = new TrialContext(Node);
        var album = command.Level is { } level
            ? await context.Albums.WithConsistency(level).FindAsync(command.Number)
            : await context.Albums.FindAsync(command.Number);
        return new Answer(0)
        {
            Number = album?.Entries.Values.Sum(entry => (long)entry.Length) ?? -1,
            Value = album is null ? null : string.Join(',', album.Entries.Keys.Order(StringComparer.Ordinal)),
        };
    }

    async Task<Answer> ReadContentAsync(Command command)
    {
        var content = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await foreach (var document in Store.Keyspace(command.Keyspace).ReadAllAsync())
            content.Add(document.Key.ToString().Trim('\''), Encoding.UTF8.GetString((document.Document.Value ?? default).Span));
        await using var context = new TrialContext(Node);
        foreach (var tally in await context.Tallies.AsNoTracking().ToListAsync())
            content.Add($"tally {tally.Id}", tally.N.ToString(CultureInfo.InvariantCulture));
        return new Answer(0) { Content = content };
    }

    async Task<Answer> ReadStatisticsAsync(Command command)
    {
        var statistics = await Store.Keyspace(command.Keyspace).GetStatisticsAsync();
        return new Answer(0) { Number = statistics.Count, Value = statistics.Fingerprint.ToString("x32", CultureInfo.InvariantCulture) };
    }

    async Task<Answer> CountTombstonesAsync(Command command)
    {
        int dead = 0;
        await foreach (var document in Store.Keyspace(command.Keyspace).ReadMetadataAsync())
            dead += document.IsDeleted ? 1 : 0;
        return new Answer(0) { Number = dead };
    }

    Answer Members() => new(0)
    {
        Members = [.. Store.Members.Select(member => new MemberLine(member.NodeId, member.IsUp))],
        IsJoined = Store.JoinStatus.IsJoined,
        Voters = Store.SerialStatus.VoterCount,
        Sequencer = Store.SerialStatus.Sequencer ?? 0,
    };

    Answer SetClock(Command command)
    {
        _time.Offset = TimeSpan.FromSeconds(command.Seconds);
        return new Answer(0);
    }
}
