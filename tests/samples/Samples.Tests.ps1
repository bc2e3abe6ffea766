BeforeAll {
    Import-Module (Join-Path $PSScriptRoot '../LoopbackRegistry.psm1') -Force
    Import-Module (Get-StagedModulePath)
    $registry = Start-LoopbackRegistry -SizeMiB 4

    function Set-Damage([string] $Path) {
        $bytes = [System.IO.File]::ReadAllBytes($Path)
        $bytes[1000000] = $bytes[1000000] -bxor 1
        [System.IO.File]::WriteAllBytes($Path, $bytes)
    }
}

AfterAll {
    Stop-LoopbackRegistry $registry
}

Describe 'Update-ModelList.ps1' {
    It 'fetches what is new, says what is current, and goes on after a failure' {
        $store = Join-Path $TestDrive 'update'
        $list = Join-Path $TestDrive 'models.csv'
        [pscustomobject]@{ Name = "$($registry.Prefix)none" }, [pscustomobject]@{ Name = $registry.Name } | Export-Csv $list

        $first = & "$PSScriptRoot/Update-ModelList.ps1" -List $list -StorePath $store
        $first.Result | Should -Be 'Failed', 'Updated'
        $first[0].Problem | Should -Match 'no model'
        $first[1].NewBytes | Should -BeGreaterThan 4MB

        $second = & "$PSScriptRoot/Update-ModelList.ps1" -List $list -StorePath $store
        $second[1].Result | Should -Be 'Current'
        $second[1].NewBytes | Should -Be 0
    }

    It 'changes nothing with -WhatIf' {
        $store = Join-Path $TestDrive 'whatif'
        $list = Join-Path $TestDrive 'whatif.csv'
        [pscustomobject]@{ Name = $registry.Name } | Export-Csv $list
        $null = & "$PSScriptRoot/Update-ModelList.ps1" -List $list -StorePath $store -WhatIf
        $store | Should -Not -Exist
    }
}

Describe 'Test-ModelStore.ps1' {
    BeforeAll {
        $store = Join-Path $TestDrive 'nightly'
        $saved = Save-ModelBlob $registry.Name $store -VerifyInline
    }

    It 'reports a right store as right' {
        $report = & "$PSScriptRoot/Test-ModelStore.ps1" -StorePath $store
        $report.Subject | Should -Match 'all model files are right'
        $report.Problems | Should -BeNullOrEmpty
        $report.Models | Should -Be 1
        $report.Blobs | Should -Be $saved.Count
    }

    It 'names what is damaged, why, and what to do' {
        Set-Damage $saved[0].Path
        Remove-Item -LiteralPath $saved[1].Path
        $report = & "$PSScriptRoot/Test-ModelStore.ps1" -StorePath $store
        $report.Subject | Should -Match '2 damaged model files'
        $report.Problems.Status | Should -Be 'DigestMismatch', 'Missing'
        $report.Problems[0].Verdict | Should -Be 'DamagedOnDisk'
        $report.Body | Should -BeOfType ([string])
        $report.Body | Should -Match ([regex]::Escape($saved[0].Digest))
        $report.Body | Should -Match '-Repair'
    }
}

Describe 'Copy-ModelStore.ps1' {
    It 'saves, copies and tests, and the copy can be tested and diagnosed at the site' {
        $destination = Join-Path $TestDrive 'portable'
        $staged = & "$PSScriptRoot/Copy-ModelStore.ps1" -Name $registry.Name -StagingPath (Join-Path $TestDrive 'staging') -Destination $destination
        $staged.Status | Should -Be (@('Valid') * 5)
        $staged.Path | ForEach-Object { $_ | Should -BeLike "$destination*" }

        Set-Damage $staged[0].Path
        $arrived = & "$PSScriptRoot/Copy-ModelStore.ps1" -Destination $destination
        $arrived[0].Status | Should -Be 'DigestMismatch'
        (Test-ModelBlob $registry.Name $destination -Digest $staged[0].Digest -Diagnose).HasBlockMap | Should -BeTrue
    }
}
