using Datacake.Bakery;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Testing;

const int Nodes = 5;
int cakes = args is [var count] ? int.Parse(count, System.Globalization.CultureInfo.InvariantCulture) : 100_000;

Console.WriteLine($"Selling {cakes:N0} cakes at {Nodes} nodes with 20 buyers each, while the network is parted again and again.");
Console.WriteLine();

Sale[] sales =
[
    new(
        "[Counter]",
        static async (db, shelf, stock) =>
        {
            db.Plain.Add(new PlainShelf { Id = shelf, Left = stock });
            await db.SaveChangesAsync(Consistency.All);
        },
        static async (db, shelf, wish) =>
        {
            var found = await db.Plain.FindAsync(shelf);
            int bought = (int)Math.Clamp(found!.Left, 0, wish);
            found.Left -= bought;
            await db.SaveChangesAsync(Consistency.None);
            return bought;
        },
        static async db => await db.Plain.Select(static shelf => shelf.Left).ToListAsync()),
    new(
        "[Counter(Minimum = 0)]",
        static async (db, shelf, stock) =>
        {
            db.Bounded.Add(new BoundedShelf { Id = shelf, Left = stock });
            await db.SaveChangesAsync(Consistency.All);
        },
        static async (db, shelf, wish) =>
        {
            var found = await db.Bounded.FindAsync(shelf);
            int bought = (int)Math.Min(found!.Left, wish);
            found.Left -= bought;
            await db.SaveChangesAsync(Consistency.None);
            return bought;
        },
        static async db => await db.Bounded.Select(static shelf => shelf.Left).ToListAsync()),
    new(
        "[Serial]",
        static async (db, shelf, stock) =>
        {
            db.Serial.Add(new SerialShelf { Id = shelf, Left = stock });
            await db.SaveChangesAsync();
        },
        static async (db, shelf, wish) =>
        {
            int bought = 0;
            try
            {
                await db.RunSerialAsync(async () =>
                {
                    var found = await db.Serial.FindAsync(shelf);
                    bought = (int)Math.Min(found!.Left, wish);
                    found.Left -= bought;
                });
            }
            catch (OutcomeUnknownException)
            {
                // Sold or not: the buyer waits until that is known. If it was refused, this throws the conflict.
                while (!await TryResolveAsync(db))
                    await Task.Delay(50);
            }
            return bought;
        },
        static async db => await db.Serial.Select(static shelf => shelf.Left).ToListAsync()),
];

Console.WriteLine($"{"",-24}{"sold",12}{"left",12}{"lowest shown",14}{"partitions",12}{"seconds",9}");
foreach (var sale in sales)
{
    await using var cluster = await TestCluster.StartAsync(
        Nodes, static (_, options) => options.WithModel<BakeryContext>().WithStore(static store => store.AcknowledgmentTimeout = TimeSpan.FromSeconds(5)));
    long start = TimeProvider.System.GetTimestamp();
    await sale.RunAsync(cluster, cakes, new Random(42));
    Console.WriteLine($"{sale.Name,-24}{sale.Sold,12:N0}{sale.Left,12:N0}{sale.Lowest,14:N0}{sale.Partitions,12:N0}{TimeProvider.System.GetElapsedTime(start).TotalSeconds,9:N1}");
}
Console.WriteLine();

bool isTrue = true;
Claim(sales[0].Sold > cakes && sales[0].Left < 0, "A plain counter sells more cakes than there are, and shows it.");
foreach (var sale in sales[1..])
    Claim(sale.Sold == cakes && sale.Left == 0 && sale.Lowest >= 0, $"{sale.Name} sells exactly {cakes:N0} cakes, and no node ever shows less than none.");
return isTrue ? 0 : 1;

static async Task<bool> TryResolveAsync(BakeryContext db)
{
    try
    {
        await db.ResolveSaveAsync();
        return true;
    }
    catch (Exception e) when (e is OutcomeUnknownException or NotEnoughNodesException)
    {
        return false;
    }
}

void Claim(bool holds, string sentence)
{
    isTrue &= holds;
    Console.WriteLine($"{(holds ? "True:  " : "FALSE: ")} {sentence}");
}
