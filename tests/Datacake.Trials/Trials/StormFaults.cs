using Datacake.Trials.Driving;
using Datacake.Trials.Network;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Trials;

/// <summary>The faults of the storm. Each fault is over when its method returns.</summary>
sealed class StormFaults
{
    /// <summary>The number of addresses that nodes move between. All of them are seeds.</summary>
    public const int Addresses = 9;

    readonly TrialRun _run;
    readonly Cluster _cluster;
    readonly (string Name, Func<TimeSpan, Task> RunAsync)[] _faults;
    double _offset;         // of all wall clocks

    public StormFaults(TrialRun run, Cluster cluster)
    {
        (_run, _cluster) = (run, cluster);
        _faults =
        [
            ("one-way partition, flapping", FlapAsync),
            ("cable unplugged", UnplugAsync),
            ("one clock wrong", OneClockAsync),
            ("all clocks step", AllClocksAsync),
            ("kill", KillAsync),
            ("kill of two", KillTwoAsync),
            ("pause", PauseAsync),
            ("new address", MoveAsync),
            ("swapped addresses", SwapAsync),
            ("address taken over", TakeOverAsync),
        ];
    }

    Wire Wire => _cluster.Wire!;

    /// <summary>Runs a random fault.</summary>
    /// <param name="only">The beginning of the names to choose from; <see langword="null"/> for all.</param>
    /// <param name="without">The beginnings of the names to exclude, separated by commas.</param>
    /// <param name="length">The duration of the fault.</param>
    /// <returns>The name of the fault.</returns>
    public async Task<string> RunAsync(string? only, string? without, TimeSpan length)
    {
        string[] excluded = (without ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var faults = _faults.Where(fault => fault.Name.StartsWith(only ?? "", StringComparison.Ordinal)
            && !excluded.Any(name => fault.Name.StartsWith(name, StringComparison.Ordinal))).ToArray();
        if (faults.Length == 0)
            throw new ArgumentException($"No fault is left to choose from. The faults are: {string.Join("; ", _faults.Select(each => each.Name))}.");
        var (name, run) = faults[_run.Random.Next(faults.Length)];
        await run(length);
        Wire.Heal();
        return name;
    }

    /// <summary>Ends all faults of the network and the clocks.</summary>
    public async Task CalmAsync()
    {
        Wire.Heal();
        Wire.Default = LinkConditions.Good;
        foreach (var node in _cluster.Nodes)
            await SetClockAsync(node, _offset);
    }

    ClusterNode One() => _cluster[_run.Random.Next(_cluster.Nodes.Count)];

    (ClusterNode First, ClusterNode Second) Two()
    {
        int first = _run.Random.Next(_cluster.Nodes.Count), step = 1 + _run.Random.Next(_cluster.Nodes.Count - 1);
        return (_cluster[first], _cluster[(first + step) % _cluster.Nodes.Count]);
    }

    async Task FlapAsync(TimeSpan length)
    {
        var (from, to) = Two();
        long start = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(start) < length)
        {
            Wire.Set(from.Host!, to.Host!, LinkConditions.Blocked);
            await _run.WaitAsync(TimeSpan.FromSeconds(0.2 + (3 * _run.Random.NextDouble())));
            Wire.Set(from.Host!, to.Host!, null);
            await _run.WaitAsync(TimeSpan.FromSeconds(0.1 + _run.Random.NextDouble()));
        }
    }

    async Task UnplugAsync(TimeSpan length)
    {
        var node = One();
        Wire.Unplug(node.Host!);
        await _run.WaitAsync(length);
        Wire.Plug(node.Host!);
    }

    async Task OneClockAsync(TimeSpan length)
    {
        var node = One();
        await SetClockAsync(node, _offset + Hours());
        await _run.WaitAsync(length);
        await SetClockAsync(node, _offset);
    }

    async Task AllClocksAsync(TimeSpan length)
    {
        _offset = Hours();
        foreach (var node in _cluster.Nodes)
            await SetClockAsync(node, _offset);
        await _run.WaitAsync(length);
    }

    async Task KillAsync(TimeSpan length)
    {
        var node = One();
        await node.KillAsync();
        await _run.WaitAsync(length);
        await node.StartAsync();
    }

    async Task KillTwoAsync(TimeSpan length)
    {
        var (first, second) = Two();
        await Task.WhenAll(first.KillAsync(), second.KillAsync());
        await _run.WaitAsync(length);
        await Task.WhenAll(first.StartAsync(), second.StartAsync());
    }

    async Task PauseAsync(TimeSpan length)
    {
        var node = One();
        node.Pause();
        try
        {
            await _run.WaitAsync(length);
        }
        finally
        {
            node.Resume();
        }
    }

    async Task MoveAsync(TimeSpan length)
    {
        var node = One();
        await StopOrKillAsync(node);
        await node.MoveToAsync(Cluster.AddressOf(FreeAddress()));
        await _run.WaitAsync(length / 4);
        await node.StartAsync();
    }

    async Task SwapAsync(TimeSpan length)
    {
        var (first, second) = Two();
        await Task.WhenAll(first.KillAsync(), second.KillAsync());
        await _run.WaitAsync(length / 4);
        var (one, other) = (first.Host!.Address, second.Host!.Address);
        await first.MoveToAsync(Cluster.AddressOf(FreeAddress()));
        await second.MoveToAsync(one);
        await first.MoveToAsync(other);
        await Task.WhenAll(first.StartAsync(), second.StartAsync());
    }

    // One node dies, another restarts at the dead node's address, and the first returns at a new address.
    async Task TakeOverAsync(TimeSpan length)
    {
        var (dead, taker) = Two();
        await dead.KillAsync();
        await taker.KillAsync();
        var address = dead.Host!.Address;
        await dead.MoveToAsync(Cluster.AddressOf(FreeAddress()));
        await taker.MoveToAsync(address);
        await taker.StartAsync();
        await _run.WaitAsync(length / 2);
        await dead.StartAsync();
    }

    Task StopOrKillAsync(ClusterNode node) => _run.Random.Next(2) == 0 ? node.KillAsync() : node.StopAsync();

    int FreeAddress()
    {
        int[] free = [.. Enumerable.Range(1, Addresses).Where(number => _cluster.Nodes.All(node => !node.Host!.Address.Equals(Cluster.AddressOf(number))))];
        return free[_run.Random.Next(free.Length)];
    }

    // Forward or backward with equal probability, by 5 minutes to 8 hours.
    double Hours() => (_run.Random.Next(2) == 0 ? -1 : 1) * (300 + (_run.Random.NextDouble() * 8 * 3_600));

    static async Task SetClockAsync(ClusterNode node, double seconds)
    {
        node.Settings = node.Settings with { OffsetSeconds = seconds };
        await node.SendAsync(new Command(CommandKind.SetClock) { Seconds = seconds });
    }
}
