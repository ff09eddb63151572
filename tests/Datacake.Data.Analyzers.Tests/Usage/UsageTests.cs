namespace Datacake.Data.Analyzers.Tests.Usage;

public class UsageTests
{
    [Theory]
    [InlineData("void M(ShopContext db) { db.SaveChangesAsync(); }", "db.SaveChangesAsync()")]
    [InlineData("void M(ShopContext db) => db.SaveChangesAsync().ConfigureAwait(false);", "db.SaveChangesAsync()")]
    [InlineData("void M(ShopContext? db) { db?.SaveChangesAsync(); }", ".SaveChangesAsync()")]
    [InlineData("void M(ShopContext db) { db.Orders.Where(o => o.State == 1).ExecuteDeleteAsync(); }", "db.Orders.Where(o => o.State == 1).ExecuteDeleteAsync()")]
    [InlineData("void M(ShopContext db) { db.Orders.ClearAsync(); }", "db.Orders.ClearAsync()")]
    [InlineData("void M(ShopContext db) { db.Orders.AsQueryable().ExecuteDeleteAsync(); }", "db.Orders.AsQueryable().ExecuteDeleteAsync()")]
    [InlineData("void M(ShopContext db) { db.Orders.ExecuteUpdateAsync(s => s.SetProperty(o => o.State, 1)); }", "db.Orders.ExecuteUpdateAsync(s => s.SetProperty(o => o.State, 1))")]
    [InlineData("void M(ShopContext db) { db.RunSerialAsync(() => Task.CompletedTask); }", "db.RunSerialAsync(() => Task.CompletedTask)")]
    [InlineData("void M(SerialWork work) { work.SaveChangesAsync(); }", "work.SaveChangesAsync()")]
    [InlineData("Action M(ShopContext db) => () => db.SaveChangesAsync();", "db.SaveChangesAsync()")]
    public Task Task_that_is_dropped_is_reported(string member, string at) => UsageRun.ReportsAsync($"class User {{ {member} }}", "DCD101", at, "is not awaited");

    [Theory]
    [InlineData("async Task M(ShopContext db) { await db.SaveChangesAsync(); }")]
    [InlineData("Task M(ShopContext db) => db.SaveChangesAsync();")]
    [InlineData("Task M(ShopContext db) { return db.SaveChangesAsync(); }")]
    [InlineData("async Task M(ShopContext db) { var saving = db.SaveChangesAsync(); await saving; }")]
    [InlineData("void M(ShopContext db) { _ = db.SaveChangesAsync(); }")]
    [InlineData("void M(ShopContext db, List<Task> tasks) { tasks.Add(db.SaveChangesAsync()); }")]
    [InlineData("void M(ShopContext db) { db.SaveChangesAsync().Wait(); }")]
    [InlineData("Func<Task> M(ShopContext db) => () => db.SaveChangesAsync();")]
    [InlineData("class Other { public Task SaveChangesAsync() => Task.CompletedTask; } void M(Other other) { other.SaveChangesAsync(); }")]
    public Task Task_that_is_used_is_accepted(string member) => UsageRun.AcceptsAsync($"class User {{ {member} }}");

    [Theory]
    [InlineData("static class Data { public static ShopContext? Db; }", "Db", "'Db' keeps a 'ShopContext' in a static member.")]
    [InlineData("class Data { public static ShopContext? Db { get; set; } }", "Db", "'Db' keeps a 'ShopContext' in a static member.")]
    [InlineData("class Worker : BackgroundService { ShopContext? _db; protected override Task ExecuteAsync(CancellationToken t) => _db!.SaveChangesAsync(t); }", "_db", "in the hosted service 'Worker'")]
    [InlineData("class Worker(ShopContext db) : BackgroundService { protected override Task ExecuteAsync(CancellationToken t) => db.SaveChangesAsync(t); }", "db", "in the hosted service 'Worker'")]
    [InlineData("class Cache(ShopContext db) { public ShopContext Db => db; } class Setup { void M(IServiceCollection services) { services.AddSingleton<Cache>(); } }", "services.AddSingleton<Cache>()", "in the singleton 'Cache'")]
    public Task Context_that_is_kept_is_reported(string source, string at, string message) => UsageRun.ReportsAsync(source, "DCD102", at, message);

    [Theory]
    [InlineData("class Repository(ShopContext db) { public Task SaveAsync() => db.SaveChangesAsync(); } class Setup { void M(IServiceCollection services) { services.AddScoped<Repository>(); } }")]
    [InlineData("class Data { static IDatacakeContextFactory<ShopContext>? s_contexts; static ShopContext Create() => s_contexts!.CreateContext(); static ShopContext Next => Create(); }")]
    [InlineData("class Worker(IDatacakeContextFactory<ShopContext> contexts) : BackgroundService { protected override async Task ExecuteAsync(CancellationToken t) { await using var db = contexts.CreateContext(); await db.SaveChangesAsync(t); } }")]
    [InlineData("class Cache { } class Setup { void M(IServiceCollection services) { services.AddSingleton<Cache>(); } }")]
    public Task Context_of_a_unit_of_work_is_accepted(string source) => UsageRun.AcceptsAsync(source);

    [Theory]
    [InlineData("Task M(ShopContext db) => Task.WhenAll(db.Orders.ToListAsync(), db.Shelves.ToListAsync());")]
    [InlineData("Task M(ShopContext db) => Task.WhenAll([db.Orders.CountAsync(), db.Shelves.Where(s => s.Name == \"\").CountAsync()]);")]
    [InlineData("Task M(ShopContext db, long[] ids) => Task.WhenAll(ids.Select(async id => await db.Orders.FindAsync(id)));")]
    [InlineData("Task M(ShopContext db, long[] ids) => Parallel.ForEachAsync(ids, async (id, token) => { db.Remove(id); await db.SaveChangesAsync(token); });")]
    [InlineData("Task M(ShopContext db) => Task.WhenAll(Task.Run(() => db.Orders.ToListAsync()), Task.Run(async () => await db.SaveChangesAsync()));")]
    public Task Context_that_several_tasks_use_is_reported(string member) => UsageRun.ReportsAsync($"class User {{ {member} }}", "DCD103", "db", "'db' is used by several tasks at once");

    [Theory]
    [InlineData("Task M(ShopContext a, ShopContext b) => Task.WhenAll(a.Orders.ToListAsync(), b.Orders.ToListAsync());")]
    [InlineData("Task M(ShopContext db) => Task.WhenAll(db.Orders.ToListAsync(), Task.Delay(1));")]
    [InlineData("Task M(IDatacakeContextFactory<ShopContext> contexts, long[] ids) => Task.WhenAll(ids.Select(async id => { await using var db = contexts.CreateContext(); return await db.Orders.FindAsync(id); }));")]
    [InlineData("Task M(ShopContext db, long[] ids) => Task.WhenAll(ids.Select(async id => { await using var own = new ShopContext(db.Node); return await own.Orders.FindAsync(id); }));")]
    [InlineData("Task M(ShopContext db, long[] ids, SemaphoreSlim gate) => Task.WhenAll(ids.Select(async id => { await gate.WaitAsync(); try { await db.Orders.FindAsync(id); } finally { gate.Release(); } }));")]
    [InlineData("async Task M(ShopContext db) { await Task.Run(() => db.Orders.ToListAsync()); await db.SaveChangesAsync(); }")]
    [InlineData("Task M(ShopContext db, long[] ids) => Parallel.ForEachAsync(ids, new ParallelOptions { MaxDegreeOfParallelism = 1 }, async (id, token) => await db.Orders.FindAsync(id));")]
    public Task Context_that_one_task_uses_is_accepted(string member) => UsageRun.AcceptsAsync($"class User {{ {member} }}");

    [Theory]
    [InlineData("db.SavingChanges += async (_, _) => await Task.Yield();", "async (_, _) => await Task.Yield()", "SavingChangesAsync")]
    [InlineData("db.SavedChanges += OnSaved;", "OnSaved", "SavedChangesAsync")]
    [InlineData("db.SaveChangesFailed += async delegate { await Task.Yield(); };", "async delegate { await Task.Yield(); }", "SaveChangesFailedAsync")]
    public Task Asynchronous_handler_is_reported(string statement, string at, string message) => UsageRun.ReportsAsync(
        $"class User {{ void M(ShopContext db) {{ {statement} }} async void OnSaved(object? sender, SavedChangesEventArgs e) => await Task.Yield(); }}", "DCD104", at, message);

    [Theory]
    [InlineData("db.SavingChanges += (_, _) => db.Add(new Order());")]
    [InlineData("db.SavedChanges += OnSaved;")]
    [InlineData("db.SavedChanges -= async (_, _) => await Task.Yield();")]
    [InlineData("Changed += async (_, _) => await Task.Yield();")]
    public Task Synchronous_handler_is_accepted(string statement) => UsageRun.AcceptsAsync(
        $"class User {{ event EventHandler? Changed; void M(ShopContext db) {{ {statement} Changed?.Invoke(this, new EventArgs()); }} void OnSaved(object? sender, SavedChangesEventArgs e) {{ }} }}");

    [Theory]
    [InlineData("db.Shelves.Add(new Shelf { Name = \"a\" });", "new Shelf { Name = \"a\" }")]
    [InlineData("db.Shelves.Add(new() { Name = \"a\" });", "new() { Name = \"a\" }")]
    [InlineData("db.Shelves.AddRange(new Shelf { Id = 1 }, new Shelf());", "new Shelf()")]
    public Task Key_that_is_neither_set_nor_generated_is_reported(string statement, string at) =>
        UsageRun.ReportsAsync($"class User {{ void M(ShopContext db) {{ {statement} }} }}", "DCD105", at, "'Shelf.Id' is not set");

    [Theory]
    [InlineData("class Thing { public long Id { get; set; } }")]
    [InlineData("[Serial] class Thing { public int Id { get; set; } }")]
    [InlineData("class Thing { [System.ComponentModel.DataAnnotations.Schema.DatabaseGenerated(System.ComponentModel.DataAnnotations.Schema.DatabaseGeneratedOption.None)] public int Id { get; set; } }")]
    [InlineData("class Thing { public int Id { get; set; } = 5; }")]
    [InlineData("class Thing { public Thing() => Id = 5; public int Id { get; set; } }")]
    [InlineData("class Thing { public string Id { get; set; } = \"\"; }")]
    [InlineData("class Thing { [Key] public int A { get; set; } [Key] public int B { get; set; } }")]
    public Task Key_that_need_not_be_set_is_accepted(string thing) => UsageRun.AcceptsAsync(
        $"{thing} partial class ThingContext(DatacakeNode node) : DatacakeContext(node) {{ internal partial Keyspace<Thing> Things {{ get; }} }} class User {{ void M(ThingContext db) {{ db.Things.Add(new Thing()); }} }}");

    [Theory]
    [InlineData("IsSerial()")]
    [InlineData("Property(t => t.Id).ValueGeneratedNever()")]
    public Task Key_of_a_class_that_code_describes_is_accepted(string call) => UsageRun.AcceptsAsync($$"""
        class Thing { public int Id { get; set; } }
        partial class ThingContext(DatacakeNode node) : DatacakeContext(node)
        {
            internal partial Keyspace<Thing> Things { get; }
            protected override void OnModelCreating(ModelBuilder model) => model.Entity<Thing>().{{call}};
        }
        class User { void M(ThingContext db) { db.Things.Add(new Thing()); } }
        """);

    [Theory]
    [InlineData("db.Orders.Where(o => o.Placed < DateTime.Now)", "DateTime.Now")]
    [InlineData("db.Orders.Where(o => o.State == 1 && DateTime.Today <= o.Placed)", "DateTime.Today")]
    [InlineData("db.Orders.OrderBy(o => o.Id).Where(o => o.Paid > DateTime.Now.AddDays(-1))", "DateTime.Now.AddDays(-1)")]
    [InlineData("db.Orders.CountAsync(o => o.Placed > DateTime.UtcNow.ToLocalTime())", "DateTime.UtcNow.ToLocalTime()")]
    [InlineData("from o in db.Orders where o.Placed > DateTime.Now.Date select o.Id", "DateTime.Now.Date")]
    public Task Local_time_in_a_query_is_reported(string query, string at) =>
        UsageRun.ReportsAsync($"class User {{ object M(ShopContext db) => {query}; }}", "DCD106", at, "is a local time");

    [Theory]
    [InlineData("db.Orders.Where(o => o.Placed < DateTime.UtcNow)")]
    [InlineData("db.Orders.Where(o => o.Placed > new DateTime(2020, 1, 2))")]
    [InlineData("db.Orders.Where(o => o.Placed < DateTime.Now.ToUniversalTime())")]
    [InlineData("db.Orders.Select(o => new { Local = o.Placed.ToLocalTime() }).Where(o => o.Local < DateTime.Now)")]
    [InlineData("new List<Order>().Where(o => o.Placed < DateTime.Now)")]
    [InlineData("new Order().Placed < DateTime.Now")]
    public Task Time_that_can_be_compared_is_accepted(string query) => UsageRun.AcceptsAsync($"class User {{ object M(ShopContext db) => {query}; }}");
}
