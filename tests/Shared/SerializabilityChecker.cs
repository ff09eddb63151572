namespace Datacake.Tests;

/// <summary>A transaction over lists, as its client saw it: it reads whole lists, and appends its own number to some.</summary>
/// <param name="Id">The number of the transaction, which no other one has.</param>
/// <param name="Start">The time at which the client began it.</param>
/// <param name="End">The time at which the client learned the outcome; <see cref="long.MaxValue"/> if it never did.</param>
/// <param name="IsDone">True if it took effect, false if it was refused, null if the client does not know.</param>
/// <param name="Reads">The elements of the lists that it read, before its own appends.</param>
/// <param name="Appends">The lists that it appended its number to.</param>
sealed record ListTransaction(
    int Id, long Start, long End, bool? IsDone, IReadOnlyDictionary<string, IReadOnlyList<int>> Reads, IReadOnlyList<string> Appends);

/// <summary>
/// Finds out whether a history of transactions over lists is strictly serializable, from what the clients saw alone. A list shows the order of its appends, and so
/// which transaction depends on which; time shows which ended before another began. If these dependencies have a cycle, no order of the transactions explains what
/// was seen. (After K. Kingsbury and P. Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations", 2020.)
/// </summary>
static class SerializabilityChecker
{
    /// <summary>Returns the anomalies of a history; none if it is strictly serializable.</summary>
    /// <param name="history">The transactions. The last reads of each list should come after everything else.</param>
    public static IReadOnlyList<string> Check(IReadOnlyCollection<ListTransaction> history)
    {
        var anomalies = new List<string>();
        var byId = history.ToDictionary(static transaction => transaction.Id);
        var orders = OrdersOf(history, anomalies);
        CheckElements(byId, orders, anomalies);
        var edges = DependenciesOf(history, orders);
        AddTimes(history, orders, edges);
        foreach (var cycle in CyclesOf(edges))
            anomalies.Add($"Transactions depend on each other: {string.Join(" -> ", cycle.Append(cycle[0]).Where(byId.ContainsKey))}.");
        return anomalies;
    }

    /// <summary>Returns the order of the appends of each list: its longest read. All reads must be beginnings of it.</summary>
    static Dictionary<string, IReadOnlyList<int>> OrdersOf(IEnumerable<ListTransaction> history, List<string> anomalies)
    {
        var reads = history.Where(static transaction => transaction.IsDone != false).SelectMany(static transaction => transaction.Reads.Select(read => (transaction.Id, List: read.Key, Seen: read.Value))).ToList();
        var orders = reads.GroupBy(static read => read.List).ToDictionary(static list => list.Key, static list => list.MaxBy(static read => read.Seen.Count).Seen);
        foreach (var (id, list, seen) in reads)
        {
            if (!orders[list].Take(seen.Count).SequenceEqual(seen))
                anomalies.Add($"Transaction {id} read {string.Join(' ', seen)} in list {list}, which is no beginning of {string.Join(' ', orders[list])}.");
        }
        foreach (var (list, order) in orders)
        {
            foreach (var twice in order.GroupBy(static element => element).Where(static element => element.Count() > 1))
                anomalies.Add($"Transaction {twice.Key} is {twice.Count()} times in list {list}.");
        }
        return orders;
    }

    /// <summary>Checks that nothing refused is seen, and nothing acknowledged is missing.</summary>
    static void CheckElements(Dictionary<int, ListTransaction> byId, Dictionary<string, IReadOnlyList<int>> orders, List<string> anomalies)
    {
        foreach (var (list, order) in orders)
        {
            foreach (int element in order)
            {
                if (!byId.TryGetValue(element, out var writer) || !writer.Appends.Contains(list))
                    anomalies.Add($"List {list} has the element {element}, which nobody appended.");
                else if (writer.IsDone == false)
                    anomalies.Add($"List {list} has the element of transaction {element}, which was refused.");
            }
        }
        foreach (var transaction in byId.Values.Where(static transaction => transaction.IsDone == true))
        {
            foreach (string list in transaction.Appends.Where(list => !orders.TryGetValue(list, out var order) || !order.Contains(transaction.Id)))
                anomalies.Add($"Transaction {transaction.Id} was acknowledged, and is missing in list {list}.");
        }
    }

    static bool IsVisible(ListTransaction transaction, Dictionary<string, IReadOnlyList<int>> orders) =>
        transaction.IsDone == true || (transaction.IsDone is null && transaction.Appends.Any(list => orders.TryGetValue(list, out var order) && order.Contains(transaction.Id)));

    static Dictionary<int, HashSet<int>> DependenciesOf(IEnumerable<ListTransaction> history, Dictionary<string, IReadOnlyList<int>> orders)
    {
        var edges = new Dictionary<int, HashSet<int>>();
        foreach (var order in orders.Values)
        {
            for (int i = 1; i < order.Count; i++)
                AddEdge(edges, order[i - 1], order[i]);
        }
        foreach (var reader in history.Where(transaction => IsVisible(transaction, orders)))
        {
            foreach (var (list, seen) in reader.Reads)
            {
                if (seen.Count > 0)
                    AddEdge(edges, seen[^1], reader.Id);
                if (seen.Count < orders[list].Count)
                    AddEdge(edges, reader.Id, orders[list][seen.Count]);
            }
        }
        return edges;
    }

    /// <summary>
    /// Adds that a transaction which ended before another began comes before it. Moments stand between them, each of which comes before the next, so that the number
    /// of edges grows with that of the transactions, and not with its square. Moments have negative numbers.
    /// </summary>
    static void AddTimes(IEnumerable<ListTransaction> history, Dictionary<string, IReadOnlyList<int>> orders, Dictionary<int, HashSet<int>> edges)
    {
        int moment = 0;
        var visible = history.Where(transaction => IsVisible(transaction, orders)).ToList();
        var events = visible.Select(static transaction => (At: transaction.Start, IsEnd: false, transaction.Id))
            .Concat(visible.Where(static transaction => transaction.End < long.MaxValue).Select(static transaction => (At: transaction.End, IsEnd: true, transaction.Id)));
        foreach (var (_, isEnd, id) in events.OrderBy(static happened => happened.At).ThenBy(static happened => happened.IsEnd))
        {
            if (isEnd)
            {
                moment--;
                AddEdge(edges, id, moment);
                if (moment < -1)
                    AddEdge(edges, moment + 1, moment);
            }
            else if (moment < 0)
            {
                AddEdge(edges, moment, id);
            }
        }
    }

    static void AddEdge(Dictionary<int, HashSet<int>> edges, int from, int to)
    {
        if (from == to)
            return;
        if (!edges.TryGetValue(from, out var targets))
            edges.Add(from, targets = []);
        targets.Add(to);
    }

    /// <summary>Returns a short cycle of each strongly connected component with more than one node (Tarjan's algorithm, without recursion).</summary>
    static IEnumerable<List<int>> CyclesOf(Dictionary<int, HashSet<int>> edges)
    {
        var indexes = new Dictionary<int, (int Index, int Low)>();
        var stack = new Stack<int>();
        var isOnStack = new HashSet<int>();
        var calls = new Stack<(int Node, IEnumerator<int> Targets)>();
        foreach (int root in edges.Keys)
        {
            if (indexes.ContainsKey(root))
                continue;
            Enter(root);
            while (calls.TryPeek(out var call))
            {
                if (call.Targets.MoveNext())
                {
                    int target = call.Targets.Current;
                    if (!indexes.TryGetValue(target, out var known))
                        Enter(target);
                    else if (isOnStack.Contains(target))
                        Lower(call.Node, known.Index);
                    continue;
                }
                calls.Pop();
                if (calls.TryPeek(out var caller))
                    Lower(caller.Node, indexes[call.Node].Low);
                if (indexes[call.Node].Low != indexes[call.Node].Index)
                    continue;
                var component = new HashSet<int>();
                int member;
                do
                {
                    member = stack.Pop();
                    isOnStack.Remove(member);
                    component.Add(member);
                }
                while (member != call.Node);
                if (component.Count > 1)
                    yield return ShortCycle(edges, component);
            }
        }

        void Enter(int node)
        {
            indexes[node] = (indexes.Count, indexes.Count);
            stack.Push(node);
            isOnStack.Add(node);
            calls.Push((node, (edges.TryGetValue(node, out var targets) ? targets : (IEnumerable<int>)[]).GetEnumerator()));
        }

        void Lower(int node, int low)
        {
            if (low < indexes[node].Low)
                indexes[node] = indexes[node] with { Low = low };
        }
    }

    static List<int> ShortCycle(Dictionary<int, HashSet<int>> edges, HashSet<int> component)
    {
        int start = component.Where(static node => node >= 0).Min();
        var before = new Dictionary<int, int>();
        var queue = new Queue<int>([start]);
        while (queue.TryDequeue(out int node))
        {
            foreach (int target in edges[node].Where(component.Contains))
            {
                if (target == start)
                {
                    var cycle = new List<int>();
                    for (int at = node; at != start; at = before[at])
                        cycle.Add(at);
                    cycle.Add(start);
                    cycle.Reverse();
                    return cycle;
                }
                if (before.TryAdd(target, node))
                    queue.Enqueue(target);
            }
        }
        return [start];
    }
}
