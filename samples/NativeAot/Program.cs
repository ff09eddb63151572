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

// Opens the store twice: the second time reads what the first time saved.
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
        db.Members.Add(new Member { Name = "Ann", Loans = { new Loan { Book = book, Days = 14 } } });
        Check(await db.SaveChangesAsync(), 2);
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
        var byCopies = await db.Books.GroupBy(b => b.Copies).Select(g => new Stock(g.Max(b => b.Title)!, g.Sum(b => b.Copies))).OrderBy(s => s.Title).ToListAsync();
        Check(string.Join(", ", byCopies), $"{new Stock("Dune", 1)}, {new Stock("The Hobbit", 2)}");
        var joined = await db.Books.Join(db.Books.Where(b => b.Copies > 1), b => b.Id, other => other.Id, (b, other) => new Stock(b.Title, other.Copies)).ToListAsync();
        Check(joined.Single(), new Stock("The Hobbit", 2));
        Check(await db.Books.SelectMany(b => b.Tags, (b, tag) => new Stock(tag, b.Copies)).SingleAsync(), new Stock("fantasy", 2));
        Check(await db.Books.LeftJoin(db.Books, b => b.Copies - 1, other => other.Copies, (b, other) => other == null ? "" : other.Title).MaxAsync(), "Dune");
        Check(await db.Books.Select(b => b.Title).Union(["Emma"]).Reverse().FirstAsync(), "Emma");

        Check((await db.Loans.Include(l => l.Book).Where(l => l.Member!.Name == "Ann" && l.Days > 7).SingleAsync()).Book!.Title, "The Hobbit");
        var members = await db.Members.Include(m => m.Loans.Where(l => l.Days > 7).Take(3)).Where(m => m.Loans.Any(l => l.Book!.Copies > 0)).OrderBy(m => m.Loans.Sum(l => l.Days)).ToListAsync();
        Check(members.Single().Loans.Single().Book, book);
        Check(await db.Loans.Select(l => new Stock(l.Book!.Title, l.Member!.Loans.Count)).SingleAsync(), new Stock("The Hobbit", 1));
        Console.WriteLine($"{provider}: {await db.Books.CountAsync()} books. {inLondon.Explain()}");
        db.Books.Remove(book);
        Check(await db.SaveChangesAsync(), 2);
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
        throw new InvalidOperationException($"{found} was found where {expected} was expected.");
}
