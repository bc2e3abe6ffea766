using System.Reflection;
using System.Runtime.Versioning;
using PSModel.Core.Names;

namespace PSModel.Core.Tests;

/// <summary>Without this a wrong reference could let all other tests pass against another build.</summary>
public sealed class CoreBuildTests
{
    [Fact]
    public void The_core_is_its_netstandard_build() =>
        Assert.Equal(".NETStandard,Version=v2.0", typeof(ModelName).Assembly.GetCustomAttribute<TargetFrameworkAttribute>()!.FrameworkName);
}
