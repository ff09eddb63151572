using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Escrow;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Histories;
using Datacake.Simulation.Machines;
using Datacake.Simulation.Scenarios;

namespace Datacake.Simulation.Worlds;

// Bounded counters.
sealed partial class World
{
    const string Bounded = "b";

    static readonly (long? Minimum, long? Maximum)[] Bounds = [(0, null), (0, null), (0, 12), (null, 10), (-5, 8), (0, 5)];

    readonly List<Sale> _sales = [];
    readonly Dictionary<HlcTimestamp, (int Slot, HlcTimestamp Base, long Amount)> _sold = [];     // of the commit under way
    bool _hasPutBack;

    /// <summary>Returns the bounded counter with which a document is created.</summary>
    static CounterIncrement NewBounded(Random random)
    {
        var (minimum, maximum) = Bounds[random.Next(Bounds.Length)];
        return new CounterIncrement(Bounded, random.Next((int)(minimum ?? 0), (int)(maximum ?? 12) + 1)) { Minimum = minimum, Maximum = maximum };
    }

    void Sell(Machine machine, int chance)
    {
        if (machine.HadJoined)
            Queue(machine, new Work(batch => SellAsync(machine, batch, new Random(chance))));
    }

    /// <summary>Lets the users of a machine change counters several times, of which no other machine hears.</summary>
    void SellUnheard(Machine machine, int chance)
    {
        if (!machine.IsUp)
            return;
        Resume(machine);
        var random = new Random(chance);
        for (int i = random.Next(6); i > 0; i--)
            Sell(machine, random.Next());
        _network.DropFrom(machine);
    }

    async ValueTask SellAsync(Machine machine, ReplicaBatch batch, Random random)
    {
        var slot = _scenario.Slots[random.Next(_scenario.Slots.Count)];
        long amount = random.Next(1, 6) * (random.Next(3) == 0 ? 1 : -1);
        var current = await ReadAsync(machine, batch, slot);
        var transaction = new Transaction();
        bool isNew = !current.IsAlive(slot.Policy) && random.Next(3) == 0;
        if (isNew)
            transaction.Put(slot.Keyspace, slot.Key, DocumentContent.Empty, [NewBounded(random)]);
        else
            transaction.Update(slot.Keyspace, slot.Key, DocumentContent.Empty, [new CounterIncrement(Bounded, amount)]);
        try
        {
            var stamp = await machine.Replica!.WriteAsync(batch, transaction);
            _written[stamp] = [];
            if (!isNew)
                _sold[stamp] = (slot.Number, current.Born, amount);
        }
        catch (CounterBoundException e)
        {
            _statistics.Count(e.MayRetry ? "sales that ask for rights" : e.Withheld > 0 ? "sales whose rights are withheld" : "sales without rights");
        }
        catch (Exception e) when (e is DocumentNotFoundException or StoreExcludedException or ArgumentException)
        {
            _statistics.Count("refused sales");
        }
    }

    /// <summary>Records a committed transaction if it changed a bounded counter, and checks that no more was sold than there was.</summary>
    void NoteSale(HistoricTransaction transaction)
    {
        if (!_sold.TryGetValue(transaction.Stamp, out var sold) || sold.Base.IsNone || _history.Find(sold.Base) is not { } put)
            return;
        _statistics.Count("sales");
        _sales.Add(new Sale(transaction.Number, sold.Slot, sold.Base, sold.Amount));
        if (BoundedCounter.Of(put.EffectOn(sold.Slot)!, Bounded) is not { } counter)
            return;
        var value = ValueOf(put.EffectOn(sold.Slot)!);
        var sales = _sales.Where(sale => sale.Slot == sold.Slot && sale.Base == sold.Base).ToArray();
        long least = value + sales.Where(sale => sale.Amount > 0 || IsKept(sale)).Sum(static sale => sale.Amount);
        long most = value + sales.Where(sale => sale.Amount < 0 || IsKept(sale)).Sum(static sale => sale.Amount);
        if (least < counter.Minimum || most > counter.Maximum)
            throw new Violation("no more is sold than there is", $"{_scenario.Slots[sold.Slot]} would be from {least} to {most}, if all sales were counted. It was created with {value}, from {counter.Minimum} to {counter.Maximum}.");
    }

    /// <summary>
    /// Returns true if a sale counts. An older copy of a disk has forgotten what only the newer one knew, which may be sales or gifts, and nobody can
    /// tell.
    /// </summary>
    bool IsKept(Sale sale) => !_hasPutBack || _machines.Any(machine => machine.Held.Has(sale.Number));

    /// <summary>Checks that the bounded counters that a machine shows are within their bounds, and that nobody has used more rights than there are.</summary>
    void CheckBounds(Machine machine, Document[] shown)
    {
        foreach (var slot in _scenario.Slots)
        {
            var document = shown[slot.Number];
            if (BoundedCounter.Of(document, Bounded) is not { } counter)
                continue;
            long value = ValueOf(document);
            if (value < counter.Minimum || value > counter.Maximum)
                throw new Violation("bounds", $"{Name(machine)} shows {value} for {slot}, which is not from {counter.Minimum} to {counter.Maximum}: <{document}>.");
            if (!counter.IsGrounded)
                throw new Violation("ground", $"{Name(machine)} shows a writer of {slot} with more used rights than it had: <{document}>.");
            if (document.IsAlive(slot.Policy) && counter.Holders.Count > 1)
                _statistics.Count("documents with several holders");
        }
    }

    static long ValueOf(Document document)
    {
        long sum = 0;
        foreach (var cell in document.Cells)
        {
            if (cell.Kind == DocumentPathKind.CounterShare && cell.IsShown(document.Born) && BoundedShare.IsBounded(cell.Value))
                sum += CounterValue.Read(cell.Value);
        }
        return sum;
    }
}
