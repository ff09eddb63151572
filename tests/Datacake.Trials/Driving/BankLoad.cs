using System.Collections.Concurrent;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Sequencing;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Driving;

/// <summary>
/// A client at every node of a cluster that moves money between a few accounts in serial transactions, and looks at all accounts from time to time. Whatever happens, the sum of what
/// one transaction sees is the same, and no account is overdrawn.
/// </summary>
sealed class BankLoad : IAsyncDisposable
{
    const int Accounts = 8, Initial = 1_000;

    static readonly string[] Names = [.. Enumerable.Range(0, Accounts).Select(static number => $"account{number}")];

    readonly CancellationTokenSource _stopping = new();
    readonly ConcurrentQueue<(string From, string To, int Amount, bool IsKnown)> _transfers = [];
    readonly ConcurrentQueue<string> _anomalies = [];
    readonly Task _running;
    int _audits;

    public BankLoad(Cluster cluster, int seed) =>
        _running = Task.WhenAll(cluster.Nodes.Select(node => Task.Run(() => RunAsync(node, new Random(HashCode.Combine(seed, node.Id, "bank"))))));

    /// <summary>Gets the number of transfers that took effect, as far as their clients know.</summary>
    public int Transfers => _transfers.Count(static transfer => transfer.IsKnown);

    /// <summary>Gets the number of transactions that saw all accounts.</summary>
    public int Audits => _audits;

    /// <summary>Looks at all accounts through a node at the end, and returns everything that was wrong.</summary>
    public async Task<IReadOnlyList<string>> CheckAsync(ClusterNode node)
    {
        if (await AuditAsync(node, hasBarrier: true) is not { } balances)
            return [.. _anomalies, $"Node {node.Id} cannot read the accounts."];
        foreach (string account in Names)
        {
            long least = Initial, most = Initial;
            foreach (var (from, to, amount, isKnown) in _transfers)
            {
                least += (to == account && isKnown ? amount : 0) - (from == account ? amount : 0);
                most += (to == account ? amount : 0) - (from == account && isKnown ? amount : 0);
            }
            if (balances[account][0] < least || balances[account][0] > most)
                _anomalies.Enqueue($"{account} has {balances[account][0]}; with the transfers that were acknowledged, it should have {least} to {most}.");
        }
        return [.. _anomalies];
    }

    /// <summary>Stops the clients and waits for what is under way.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
    }

    async Task RunAsync(ClusterNode node, Random random)
    {
        while (!_stopping.IsCancellationRequested)
        {
            await Task.Delay(random.Next(40));
            if (!node.IsRunning)
                continue;
            bool hasBarrier = random.Next(2) == 0;
            if (random.Next(4) == 0)
            {
                await AuditAsync(node, hasBarrier);
                continue;
            }
            string[] pair = [.. random.GetItems(Names, 1)];
            pair = [pair[0], Names[(Array.IndexOf(Names, pair[0]) + random.Next(1, Accounts)) % Accounts]];
            int amount = random.Next(1, 400);
            var answer = await node.SendAsync(new Command(CommandKind.Transfer) { Lists = pair, Number = amount, Count = Initial, HasBarrier = hasBarrier });
            bool isRefused = answer.Error is nameof(SerialConflictException) or nameof(NotEnoughNodesException) or nameof(TimeoutException);
            if (answer.IsDone && answer.Number > 0)
                _transfers.Enqueue((pair[0], pair[1], (int)answer.Number, true));
            else if (!answer.IsDone && !isRefused)
                _transfers.Enqueue((pair[0], pair[1], amount, false));
        }
    }

    async Task<Dictionary<string, int[]>?> AuditAsync(ClusterNode node, bool hasBarrier)
    {
        var answer = await node.SendAsync(new Command(CommandKind.Transfer) { Lists = Names, Count = Initial, HasBarrier = hasBarrier });
        if (!answer.IsDone || answer.Lists is not { } balances)
            return null;
        Interlocked.Increment(ref _audits);
        int sum = balances.Values.Sum(static balance => balance[0]);
        if (sum != Accounts * Initial || balances.Values.Any(static balance => balance[0] < 0))
            _anomalies.Enqueue($"Node {node.Id} saw {string.Join(' ', balances.Values.Select(static balance => balance[0]))}, which is {sum} instead of {Accounts * Initial}.");
        return balances;
    }
}
