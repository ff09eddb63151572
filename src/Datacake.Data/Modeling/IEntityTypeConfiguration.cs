namespace Datacake.Data;

/// <summary>
/// Describes an entity class in a class of its own, which <see cref="ModelBuilder.ApplyConfiguration"/> names. The source generator reads it while the context is compiled, as it
/// reads <see cref="DatacakeContext.OnModelCreating"/>, and it is never run; so it is in the same project.
/// </summary>
/// <typeparam name="T">The entity class.</typeparam>
public interface IEntityTypeConfiguration<T>
    where T : class
{
    /// <summary>Describes the class, with calls one after the other.</summary>
    /// <param name="builder">What it is described with.</param>
    void Configure(EntityTypeBuilder<T> builder);
}
