using System.Runtime.InteropServices;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Quickstart;

/// <summary>One node in a process of its own, controlled by commands, one per line.</summary>
sealed class NodeMode(Options options, int nodeId, string dataFolder, TextWriter console)
{
    const string Help = """
        put KEY VALUE   writes a note to a majority of the nodes
        get KEY         reads a note from this node
        delete KEY      deletes a note on a majority of the nodes
        load            saves what .NET knows of the world: regions, cultures, time zones
        count           counts the documents of this node
        table           counts them by keyspace, with fingerprints
        members         lists the nodes of the cluster that this node knows
        quit            leaves the cluster
        """;

    // Different tasks write the answers to commands and the changes of members.
    readonly TextWriter _console = TextWriter.Synchronized(console);

    /// <summary>Runs until the commands end or the process is asked to stop.</summary>
    public async Task RunAsync(Stream commands)
    {
        using var stopping = new CancellationTokenSource();
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        await using var node = await DatacakeNode.StartAsync(settings =>
        {
            settings.WithNodeId(nodeId).ListenOn(options.ListenAddress).WithSeeds(options.Seeds).WithGossip(gossip => gossip.UseLocal());
            if (Environment.GetEnvironmentVariable("DATACAKE_SECRET") is { Length: > 0 } secret)
                settings.WithClusterSecret(secret);
            options.ChooseStorage(settings, nodeId, dataFolder);
        }, stopping.Token);
        await node.OpenStoreAsync(stopping.Token);
        _console.WriteLine($"node {node.Id} listens at {node.Address}");

        var watching = WatchMembersAsync(node, stopping.Token);
        using var lines = new StreamReader(commands);
        try
        {
            // Reading from a console cannot be canceled, but waiting for a line can.
            while (await lines.ReadLineAsync(CancellationToken.None).AsTask().WaitAsync(stopping.Token) is { } line)
            {
                if (line.Trim() == "quit")
                    break;
                await ExecuteAsync(node, line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), stopping.Token);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The process was asked to stop.
        }
        await stopping.CancelAsync();
        await watching;
        _console.WriteLine($"node {node.Id} leaves");

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stopping.Cancel();
        }
    }

    async Task ExecuteAsync(DatacakeNode node, string[] command, CancellationToken cancellationToken)
    {
        try
        {
            await using var db = new WorldContext(node);
            string answer = command switch
            {
                [] => "",
                ["put", string key, string text] => await PutAsync(db, key, text, cancellationToken),
                ["get", string key] => await db.Notes.FindAsync([key], cancellationToken) is { } note ? $"{note.Id} = {note.Text}" : $"{key} does not exist",
                ["delete", string key] => await DeleteAsync(db, key, cancellationToken),
                ["load"] => await LoadAsync(db, cancellationToken),
                ["count"] => $"{(await db.GetStatisticsAsync(cancellationToken)).Sum(keyspace => keyspace.Count)} documents",
                ["table"] => string.Join('\n', StatisticsTable.Format([(node.Id, await db.GetStatisticsAsync(cancellationToken))])),
                ["members"] => string.Join('\n', node.Members),
                _ => Help,
            };
            if (answer.Length > 0)
                _console.WriteLine(answer);
        }
        catch (Exception error) when (error is NotEnoughNodesException or ConsistencyException or TimeoutException)
        {
            _console.WriteLine($"failed: {error.Message}");
        }
    }

    static async Task<string> PutAsync(WorldContext db, string key, string text, CancellationToken cancellationToken)
    {
        if (await db.Notes.FindAsync([key], cancellationToken) is { } note)
            note.Text = text;
        else
            db.Notes.Add(new Note { Id = key, Text = text });
        var saved = await db.SaveChangesAsync(cancellationToken);
        return saved.Count == 0 ? "nothing to change" : $"stored by nodes {saved.Acknowledged}";
    }

    static async Task<string> DeleteAsync(WorldContext db, string key, CancellationToken cancellationToken)
    {
        db.Notes.Remove(new Note { Id = key });
        var saved = await db.SaveChangesAsync(cancellationToken);
        return $"deleted on nodes {saved.Acknowledged}";
    }

    static async Task<string> LoadAsync(WorldContext db, CancellationToken cancellationToken)
    {
        var world = World.Read();
        db.Regions.AddRange(world.Regions);
        db.Cultures.AddRange(world.Cultures);
        db.Zones.AddRange(world.Zones);
        var saved = await db.SaveChangesAsync(cancellationToken);
        return string.Join('\n', [.. world.Caveats, $"stored by nodes {saved.Acknowledged}: {saved.Count} records"]);
    }

    async Task WatchMembersAsync(DatacakeNode node, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var change in node.WatchMembersAsync(cancellationToken))
            {
                if (change.Member.NodeId != node.Id)
                    _console.WriteLine($"{change.Kind}: {change.Member}");
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The node is leaving.
        }
    }
}
