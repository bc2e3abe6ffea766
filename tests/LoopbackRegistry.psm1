# The loopback registry of the tests, as a script can start and stop it.

$root = Split-Path -Parent $PSScriptRoot

# Of the configurations that were built, the last.
$program = 'Release', 'Debug' |
    ForEach-Object { Join-Path $root "src/PSModel.Cli/bin/$_/net10.0/PSModel.Cli.dll" } |
    Sort-Object { [System.IO.File]::GetLastWriteTimeUtc($_) } |
    Select-Object -Last 1
$version = (Import-PowerShellDataFile (Join-Path $root 'PSModel.psd1')).ModuleVersion
$stagedModule = Join-Path $root "out/PSModel/$version/PSModel.psd1"

function Assert-Built {
    if ((Test-Path $program) -and (Test-Path $stagedModule)) {
        return
    }

    $output = dotnet build (Join-Path $root 'src/PSModel.Cli') --configuration Release --nologo 2>&1
    if ($LASTEXITCODE -ne 0) {
        throw "The build failed:`n$($output -join "`n")"
    }
}

<#
.SYNOPSIS
The path of the packaged module's manifest; what is not built yet is built.
#>
function Get-StagedModulePath {
    Assert-Built
    $stagedModule
}

<#
.SYNOPSIS
Starts a registry on a free port of loopback, in a process of its own.
.OUTPUTS
An object with Name (of a model that behaves), Address, and Prefix, to which a faulty model's name is put: flipped, cut,
lost, private or portal.
#>
function Start-LoopbackRegistry {
    param([int] $SizeMiB = 16)

    Assert-Built
    $start = [System.Diagnostics.ProcessStartInfo]::new('dotnet', "`"$program`" registry --size $SizeMiB")
    $start.UseShellExecute = $false
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $process = [System.Diagnostics.Process]::Start($start)

    # The first line comes when the registry answers.
    $name = $process.StandardOutput.ReadLine()
    if (-not $name) {
        throw 'The registry did not start.'
    }

    $address = [uri] ([uri] $name).GetLeftPart('Authority')
    [pscustomobject]@{
        Name    = $name
        Address = $address
        Prefix  = "$($address.AbsoluteUri)library/"
        Process = $process
    }
}

<#
.SYNOPSIS
Runs a command in this PowerShell once more, in a process of its own. What it writes is the output.
.DESCRIPTION
PowerShell may be a program, or a dotnet tool that was started as `dotnet pwsh.dll`.
#>
function Invoke-OtherPowerShell {
    param([Parameter(Mandatory)] [string] $Command)

    $shell, $arguments = (Get-Process -Id $PID).Path, @()
    if ((Split-Path -Leaf $shell) -like 'dotnet*') {
        $arguments = @((Join-Path $PSHOME 'pwsh.dll'))
    }

    & $shell @arguments -NoProfile -NonInteractive -Command $Command
}

<#
.SYNOPSIS
Stops a registry that Start-LoopbackRegistry started.
#>
function Stop-LoopbackRegistry {
    param([Parameter(Mandatory)] $Registry)

    $Registry.Process.StandardInput.Close()
    if (-not $Registry.Process.WaitForExit(10000)) {
        $Registry.Process.Kill()
        $Registry.Process.WaitForExit()
    }

    $Registry.Process.Dispose()
}

Export-ModuleMember -Function Get-StagedModulePath, Invoke-OtherPowerShell, Start-LoopbackRegistry, Stop-LoopbackRegistry
