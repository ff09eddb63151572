using Datacake.Data;
using Datacake.Lmdb;
using Datacake.NativeAot;
using Datacake.Node;
using Datacake.Sqlite;

string folder = Directory.CreateTempSubdirectory("datacake-native-").FullName;
try
{
    foreach (string provider in new[] { "SQLite", "LMDB" })
        await RunAsync(provider, Path.Combine(folder, provider));
}
finally
{
    Directory.Delete(folder, recursive: true);
}

// Opens the store twice: what is saved the first time is read the second time.
static async Task RunAsync(string provider, string path)
{
    long id;
    await using (var node = await StartAsync(provider, path))
    await using (var db = new LibraryContext(node))
    {
        var book = new Book
        {
            Title = "The Hobbit",
            Isbn = new Isbn("978-0261102217"),
            Format = Format.Paperback,
            Published = new DateOnly(1937, 9, 21),
            Tags = { "fantasy", "dragon" },
            Prices = { ["EUR"] = 9.99m },
            Publisher = new Publisher { Name = "Allen & Unwin", City = "London" },
            Copies = 3,
        };
        db.Books.AddRange(book, new AudioBook { Title = "Dune", Isbn = new Isbn("978-0441172719"), Narrator = "Scott Brick", Copies = 1 });
        Check(await db.SaveChangesAsync(), 2);
        id = book.Id;
        book.Copies -= 1;
        book.Tags.Remove("dragon");
        Check(await db.SaveChangesAsync(), 1);
    }

    await using (var node = await StartAsync(provider, path))
    await using (var db = new LibraryContext(node))
    {
        var book = await db.Books.FindAsync(id) ?? throw new InvalidOperationException("The book is gone.");
        Check((book.Title, book.Copies, book.Publisher?.City, book.Prices["EUR"]), ("The Hobbit", 2L, "London", 9.99m));
        Check(book.Tags.Single(), "fantasy");

        string city = "London";
        var inLondon = db.Books.Where(b => b.Publisher != null && b.Publisher.City == city).OrderBy(b => b.Title);
        Check((await inLondon.ToListAsync()).Single().Isbn, book.Isbn);
        var stock = await db.Books.Where(b => b.Isbn == new Isbn("978-0441172719")).Select(b => new Stock(b.Title, b.Copies)).FirstAsync();
        Check(stock, new Stock("Dune", 1));
        Check(await db.Books.SumAsync(b => b.Copies), 3L);
        Check(await db.Books.CountAsync(b => b is AudioBook), 1);
        var titles = await db.Books.OrderByDescending(b => b.Format).ThenBy(b => b.Title).Select(b => b.Title).ToListAsync();
        Check(string.Join(", ", titles), "The Hobbit, Dune");
        Console.WriteLine($"{provider}: {await db.Books.CountAsync()} books. {inLondon.Explain()}");
        db.Books.Remove(book);
        Check(await db.SaveChangesAsync(), 1);
    }
}

static ValueTask<DatacakeNode> StartAsync(string provider, string path) => DatacakeNode.StartAsync(options =>
{
    options.WithNodeId(1).ListenOn("127.0.0.1:0");
    if (provider == "SQLite")
        options.UseSqlite(path);
    else
        options.UseLmdb(path);
});

static void Check<T>(T found, T expected)
{
    if (!EqualityComparer<T>.Default.Equals(found, expected))
        throw new InvalidOperationException($"{found} was found where {expected} should be.");
}
